// SPDX-License-Identifier: Apache-2.0
//
// A small stand-in for a Java storage benchmark: direct I/O, a mapped file and what a JVM does to
// its own memory, all in one mm.
//
//   java DirectAndMapped.java FILE SECONDS
//
// Prints the operations of each second. The mapping is renewed all the while, as a program does
// that maps what it works on: that is what queues for write on mmap_lock, beside the JVM's own
// mprotect when threads start.

import com.sun.nio.file.ExtendedOpenOption;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.LongAdder;

public final class DirectAndMapped {
    private static final int DIRECT_THREADS = 10;
    private static final int MAPPED_THREADS = 6;
    private static final int BLOCK = 64 << 10;
    private static final int PAGE = 4096;
    private static final int WINDOW = 16 << 20;

    private static final LongAdder direct = new LongAdder();
    private static final LongAdder mapped = new LongAdder();
    private static final LongAdder born = new LongAdder();
    private static volatile boolean over;

    private interface Body {
        void run() throws Exception;
    }

    private static void start(String name, Body body) {
        Thread thread = new Thread(() -> {
            try {
                body.run();
            } catch (Exception error) {
                // The file system was taken away: there is nothing left to do.
                System.err.println(name + ": " + error);
            }
        }, name);
        thread.setDaemon(true);
        thread.start();
    }

    private static void readDirectly(Path file) throws IOException {
        SplittableRandom random = new SplittableRandom();
        ByteBuffer room = ByteBuffer.allocateDirect(BLOCK + PAGE).alignedSlice(PAGE);
        try (FileChannel channel =
                FileChannel.open(file, StandardOpenOption.READ, ExtendedOpenOption.DIRECT)) {
            long blocks = channel.size() / BLOCK;
            while (!over) {
                room.clear().limit(BLOCK);
                channel.read(room, random.nextLong(blocks) * BLOCK);
                direct.increment();
            }
        }
    }

    private static void readMapped(Path file) throws IOException {
        SplittableRandom random = new SplittableRandom();
        long sum = 0;
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            long windows = channel.size() / WINDOW;
            while (!over) {
                MappedByteBuffer window = channel.map(
                        FileChannel.MapMode.READ_ONLY, random.nextLong(windows) * WINDOW, WINDOW);
                for (int i = 0; i < 64 && !over; i++) {
                    sum += window.get(random.nextInt(WINDOW / PAGE) * PAGE);
                    mapped.increment();
                }
            }
        }
        if (sum == 42) {
            System.out.println(sum);
        }
    }

    // The JVM makes a guard zone at the end of the stack of each new thread: mprotect.
    private static void bearThreads() throws InterruptedException {
        while (!over) {
            Thread thread = new Thread(born::increment);
            thread.start();
            thread.join();
        }
    }

    public static void main(String[] words) throws Exception {
        Path file = Path.of(words[0]);
        int seconds = Integer.parseInt(words[1]);
        System.out.println("file of " + Files.size(file) + " bytes, " + seconds + " s");
        for (int i = 0; i < DIRECT_THREADS; i++) {
            start("direct-" + i, () -> readDirectly(file));
        }
        for (int i = 0; i < MAPPED_THREADS; i++) {
            start("mapped-" + i, () -> readMapped(file));
        }
        start("spawner", DirectAndMapped::bearThreads);
        for (int second = 1; second <= seconds; second++) {
            Thread.sleep(1000);
            System.out.printf("%3d s  direct %d  mapped %d  threads born %d%n", second,
                    direct.sumThenReset(), mapped.sumThenReset(), born.sumThenReset());
        }
        over = true;
    }
}
