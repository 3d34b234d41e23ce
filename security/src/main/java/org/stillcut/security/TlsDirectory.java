package org.stillcut.security;

import java.nio.file.Path;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Where the files of one's credentials are. */
public final class TlsDirectory {
    /** Names the directory if no option does. */
    public static final String VARIABLE = "STILLCUT_TLS";

    private TlsDirectory() {}

    /** What the option, else the environment says; empty: neither. */
    public static Optional<Path> chosen(@Nullable Path option) {
        if (option != null) {
            return Optional.of(option);
        }
        String variable = System.getenv(VARIABLE);
        return variable == null || variable.isBlank() ? Optional.empty() : Optional.of(Path.of(variable));
    }
}
