import java.nio.ByteBuffer;
import java.nio.file.*;
import java.util.*;
import org.apache.kafka.common.protocol.*;

// Reads "Message version base64" lines, decodes each with Apache Kafka's own class, encodes it again, and prints what differs.
class Golden {
    public static void main(String[] arguments) throws Exception {
        int same = 0;
        for (String line : Files.readAllLines(Path.of(arguments[0]))) {
            String[] parts = line.split(" ");
            byte[] bytes = parts.length > 2 ? Base64.getDecoder().decode(parts[2]) : new byte[0];
            short version = Short.parseShort(parts[1]);
            try {
                ByteBuffer in = ByteBuffer.wrap(bytes);
                Message message = (Message) Class.forName("org.apache.kafka.common.message." + parts[0] + "Data")
                    .getConstructor(org.apache.kafka.common.protocol.Readable.class, short.class).newInstance(new ByteBufferAccessor(in), version);
                ByteBuffer out = MessageUtil.toByteBufferAccessor(message, version).buffer();
                byte[] again = new byte[out.remaining()];
                out.get(again);
                if (in.hasRemaining()) System.out.println("LEFT " + line);
                else if (!Arrays.equals(bytes, again)) System.out.println("DIFFERS " + line + " " + Base64.getEncoder().encodeToString(again));
                else same++;
            } catch (Throwable problem) {
                System.out.println("FAILED " + line + " " + problem + " " + problem.getCause());
            }
        }
        System.out.println("same " + same);
    }
}
