import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.List;
import java.util.spi.ToolProvider;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/** Packs folders with Java: {@code java Jars.java OUTPUT FOLDER...} writes OUTPUT/NAME-KIND for each folder and kind. */
public class Jars {
    public static void main(String[] arguments) throws IOException {
        Path output = Path.of(arguments[0]);
        for (String argument : List.of(arguments).subList(1, arguments.length)) {
            Path tree = Path.of(argument);
            // jar follows links, even to outside the folder.
            for (String options : hasLinks(tree) ? new String[] {} : new String[] {"cf", "c0f", "cfM"}) {
                jar(options, output.resolve(tree.getFileName() + "-" + options), tree);
            }
            zip(output.resolve(tree.getFileName() + "-deflated"), tree, false);
            zip(output.resolve(tree.getFileName() + "-stored"), tree, true);
        }
        numbered(output.resolve("numbered"));
    }

    static boolean hasLinks(Path tree) throws IOException {
        try (Stream<Path> found = Files.walk(tree)) {
            return found.anyMatch(Files::isSymbolicLink);
        }
    }

    static void jar(String options, Path archive, Path tree) {
        ToolProvider jar = ToolProvider.findFirst("jar").orElseThrow();
        if (jar.run(System.out, System.err, options, archive.toString(), "-C", tree.toString(), ".") != 0) {
            System.err.println("jar " + options + " failed for " + tree);
        }
    }

    static void zip(Path archive, Path tree, boolean stored) throws IOException {
        try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(archive)); Stream<Path> found = Files.walk(tree)) {
            for (Path path : (Iterable<Path>) found.sorted()::iterator) {
                boolean isFolder = Files.isDirectory(path, LinkOption.NOFOLLOW_LINKS);
                if (path.equals(tree) || !isFolder && !Files.isRegularFile(path, LinkOption.NOFOLLOW_LINKS)) {
                    continue;
                }
                ZipEntry entry = new ZipEntry(tree.relativize(path) + (isFolder ? "/" : ""));
                entry.setLastModifiedTime(Files.getLastModifiedTime(path));
                add(zip, entry, isFolder ? new byte[0] : Files.readAllBytes(path), stored);
            }
        } catch (RuntimeException | IOException error) {
            // For example, a name that is not UTF-8. The archive has the entries before it.
            System.err.println(tree + ": " + error);
        }
    }

    static void add(ZipOutputStream zip, ZipEntry entry, byte[] content, boolean stored) throws IOException {
        if (stored) {
            CRC32 checksum = new CRC32();
            checksum.update(content);
            entry.setMethod(ZipEntry.STORED);
            entry.setSize(content.length);
            entry.setCrc(checksum.getValue());
        }
        zip.putNextEntry(entry);
        zip.write(content);
        zip.closeEntry();
    }

    /** More than 65,535 entries. */
    static void numbered(Path archive) throws IOException {
        try (OutputStream file = Files.newOutputStream(archive); ZipOutputStream zip = new ZipOutputStream(file)) {
            for (int number = 0; number < 65_600; number++) {
                add(zip, new ZipEntry(number % 100 + "/" + number), new byte[0], true);
            }
        }
    }
}
