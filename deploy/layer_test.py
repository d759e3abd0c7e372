"""A test of layer/build with a false dnf, rpm and zip."""

import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

BUILD = Path(__file__).resolve().parent.parent / "layer" / "build"
RPM = """#!/bin/bash
case $1 in
    -qa) echo base; cat "$FOLDER/installed" 2> /dev/null || true ;;
    -ql) echo "/usr/bin/../..$FOLDER/$2" ;;
esac
"""
PROGRAMS = {"dnf": '#!/bin/bash\nprintf "%s\\n" "${@:4}" >> "$FOLDER/installed"\n', "rpm": RPM, "zip": "#!/bin/bash\necho zipped\n"}


class Layer(unittest.TestCase):
    def built(self, target):
        """The run, and the packages that it installed, for a package `own` that is a link to the target."""
        with tempfile.TemporaryDirectory(prefix="layer-") as folder:
            programs = Path(folder, "programs")
            programs.mkdir()
            for name, text in PROGRAMS.items():
                Path(programs, name).write_text(text, "utf-8")
                Path(programs, name).chmod(0o755)
            Path(folder, "own").symlink_to(target)
            environment = {**os.environ, "FOLDER": folder, "PATH": f"{programs}:{os.environ['PATH']}"}
            script = shutil.copy(BUILD, folder)
            run = subprocess.run(["bash", script, "own"], env=environment, capture_output=True, text=True, check=False)
            return run, Path(folder, "installed").read_text("utf-8").split()

    def test_link_out_of_the_layer_is_refused(self):
        run, _ = self.built("/usr/bin/env")
        self.assertEqual(run.returncode, 1, run)
        self.assertIn("these links lead to files that the layer lacks", run.stderr)

    def test_own_packages_leave_out_the_build_tools(self):
        # A folder stays out of the layer.
        run, installed = self.built(".")
        self.assertEqual(installed, ["own", "findutils", "zip"])
        self.assertIn("packages: own\n", run.stdout, run)


if __name__ == "__main__":
    unittest.main()
