// SPDX-License-Identifier: Apache-2.0
//
// What a JVM does to its memory map when threads come and go: each new thread protects the guard
// zone at the end of its stack and gives it back when it ends.
//
//   java ThreadChurn.java SPAWNERS SECONDS [BIRTHS [ROUNDS]]
//
// SPAWNERS threads bear threads, each BIRTHS a second (0, the default: as fast as it can). A thread
// computes ROUNDS random numbers (default: none) and ends. Prints the milliseconds since 1970 and the threads born so far, twenty times a second.

import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;

public final class ThreadChurn {
    private static final int LINE_MILLIS = 50;
    private static final long LATE_NANOS = 20_000_000;

    private static final LongAdder born = new LongAdder();
    private static volatile long computed;
    private static volatile boolean over;

    private static void live(int rounds) {
        long value = rounds;
        for (int i = 0; i < rounds; i++) {
            value = value * 6364136223846793005L + 1442695040888963407L;
        }
        computed = value;
        born.increment();
    }

    private static void bearThreads(int rate, int rounds) {
        long next = System.nanoTime();
        while (!over) {
            Thread thread = new Thread(() -> live(rounds));
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
        int rounds = words.length > 3 ? Integer.parseInt(words[3]) : 0;
        for (int i = 0; i < spawners; i++) {
            Thread thread = new Thread(() -> bearThreads(rate, rounds), "spawner-" + i);
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
