package org.stillcut.agent.capture;

import java.nio.file.Files;
import java.nio.file.Path;
import org.stillcut.store.StoreException;
import org.stillcut.store.repository.Repository;
import org.stillcut.store.repository.StoreEnvironment;
import org.stillcut.store.repository.StoreOptions;

/** A vault over a real repository in a directory of the test. */
public record StandInVault(Repository repository, SnapshotVault vault) implements AutoCloseable {

    public static StandInVault in(Path directory) throws Exception {
        return in(directory, StoreEnvironment.system());
    }

    /** The same repository may be opened again, with another environment, once it is closed. */
    static StandInVault in(Path directory, StoreEnvironment environment) throws Exception {
        Path repository = directory.resolve("repository");
        if (!Files.exists(repository)) {
            Repository.create(repository, environment);
        }
        Repository open = Repository.open(
                repository, directory.resolve("index"), StoreOptions.DEFAULT.withPackTargetBytes(1 << 20), environment);
        return new StandInVault(open, new SnapshotVault(open, Pace.DEFAULT));
    }

    @Override
    public void close() throws StoreException {
        repository.close();
    }
}
