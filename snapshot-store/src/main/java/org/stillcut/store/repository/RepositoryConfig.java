package org.stillcut.store.repository;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.regex.Pattern;
import org.stillcut.store.StoreCorruptException;
import org.stillcut.store.StoreCorruptException.Damage;
import org.stillcut.store.StoreException;
import org.stillcut.store.io.AtomicFile;
import org.stillcut.store.io.Frame;
import org.stillcut.store.io.StoreFiles;

/**
 * The {@code config} file: says that a directory is a repository, in which version of the layout, and which one. A frame around the id, 32
 * hexadecimal digits.
 */
record RepositoryConfig(String repositoryId) {

    static final Frame FRAME = new Frame("STILREPO", 1, 4096);
    static final String NAME = "config";

    private static final Pattern ID = Pattern.compile("[0-9a-f]{32}");

    /** Writes the file, durably; false when there is one already. */
    boolean writeTo(StoreFiles files, Path repository, String temporarySuffix) throws StoreException {
        byte[] file = FRAME.wrap(repositoryId.getBytes(StandardCharsets.US_ASCII));
        return new AtomicFile(files, repository, NAME, temporarySuffix).writeIfAbsent(file);
    }

    static RepositoryConfig read(StoreFiles files, Path repository) throws StoreException {
        Path path = repository.resolve(NAME);
        String id = new String(FRAME.unwrap(FRAME.readFile(files, path), path.toString()), StandardCharsets.US_ASCII);
        if (!ID.matcher(id).matches()) {
            throw new StoreCorruptException(Damage.MALFORMED, path + " holds no repository id");
        }
        return new RepositoryConfig(id);
    }
}
