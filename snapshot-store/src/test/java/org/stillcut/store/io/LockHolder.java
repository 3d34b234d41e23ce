package org.stillcut.store.io;

import java.io.IOException;
import java.nio.file.Path;
import org.stillcut.store.StoreException;

/** The program that holds a lock for {@link LocalFilesTest} until it is killed. Argument: the file. */
final class LockHolder {

    private LockHolder() {}

    public static void main(String[] arguments) throws StoreException, IOException {
        Path file = Path.of(arguments[0]);
        try (StoreLock _ = new LocalFiles().createLocked(file, file.resolveSibling("tmp-of-the-holder"))) {
            System.out.println("locked");
            // Until it is killed, or its starter is gone.
            int end = System.in.read();
            System.out.println(end);
        }
    }
}
