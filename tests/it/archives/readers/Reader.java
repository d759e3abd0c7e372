import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Collections;
import java.util.HexFormat;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import java.util.zip.ZipInputStream;

/** Reads an archive from its start and through its directory. Prints a line for each entry: method, name in hex, size, CRC. */
public class Reader {
    public static void main(String[] arguments) throws IOException {
        try (ZipInputStream stream = new ZipInputStream(new FileInputStream(arguments[0]))) {
            for (ZipEntry entry = stream.getNextEntry(); entry != null; entry = stream.getNextEntry()) {
                print("stream", entry, stream);
            }
        }
        try (ZipFile file = new ZipFile(arguments[0])) {
            for (ZipEntry entry : Collections.list(file.entries())) {
                print("file", entry, file.getInputStream(entry));
            }
        }
    }

    static void print(String how, ZipEntry entry, InputStream from) throws IOException {
        CRC32 checksum = new CRC32();
        byte[] content = from.readAllBytes();
        checksum.update(content);
        String name = HexFormat.of().formatHex(entry.getName().getBytes(StandardCharsets.UTF_8));
        System.out.println(how + " " + name + " " + content.length + " " + checksum.getValue());
    }
}
