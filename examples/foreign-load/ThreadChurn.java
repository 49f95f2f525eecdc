// SPDX-License-Identifier: Apache-2.0
//
// What a JVM does to its memory map when threads come and go: each new thread protects the guard
// zone at the end of its stack and gives it back when it ends.
//
//   java ThreadChurn.java SPAWNERS SECONDS [BIRTHS]
//
// SPAWNERS threads bear threads that end at once, each BIRTHS a second (default: as fast as it can).
// Prints the milliseconds since 1970 and the threads born so far, twenty times a second.

import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;

public final class ThreadChurn {
    private static final int LINE_MILLIS = 50;
    private static final long LATE_NANOS = 20_000_000;

    private static final LongAdder born = new LongAdder();
    private static volatile boolean over;

    private static void bearThreads(int rate) {
        long next = System.nanoTime();
        while (!over) {
            Thread thread = new Thread(born::increment);
            thread.start();
            try {
                thread.join();
            } catch (InterruptedException error) {
                return;
            }
            if (rate == 0) {
                continue;
            }
            // What a busy machine made late is not made up for.
            next = Math.max(next + 1_000_000_000L / rate, System.nanoTime() - LATE_NANOS);
            for (long wait = next - System.nanoTime(); wait > 0; wait = next - System.nanoTime()) {
                LockSupport.parkNanos(wait);
            }
        }
    }

    public static void main(String[] words) throws Exception {
        int spawners = Integer.parseInt(words[0]);
        int seconds = Integer.parseInt(words[1]);
        int rate = words.length > 2 ? Integer.parseInt(words[2]) : 0;
        for (int i = 0; i < spawners; i++) {
            Thread thread = new Thread(() -> bearThreads(rate), "spawner-" + i);
            thread.setDaemon(true);
            thread.start();
        }
        for (int line = 0; line < seconds * 1000 / LINE_MILLIS; line++) {
            Thread.sleep(LINE_MILLIS);
            System.out.println(System.currentTimeMillis() + " " + born.sum());
        }
        over = true;
    }
}
