package org.stillcut.cli;

import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import org.stillcut.security.Identity;
import org.stillcut.security.Role;
import org.stillcut.security.ca.AuthorityException;
import org.stillcut.security.ca.CertificateAuthority;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "ca",
        description = "A small certificate authority, for the connections of a cluster.",
        mixinStandardHelpOptions = true,
        subcommands = {CaCommand.Init.class, CaCommand.Issue.class})
final class CaCommand {
    /** Work on an authority; a failure becomes one line. */
    abstract static class OnAuthority implements Callable<Integer> {
        abstract String run(InstantSource clock, SecureRandom random)
                throws IOException, AuthorityException, UsageException;

        @Override
        public final Integer call() {
            try {
                System.out.println(run(InstantSource.system(), new SecureRandom()));
                return ExitStatus.OK;
            } catch (AuthorityException e) {
                return complain(e.line(), ExitStatus.FAILED);
            } catch (IOException e) {
                return complain("cannot be written or read: " + e.getMessage(), ExitStatus.FAILED);
            } catch (UsageException e) {
                return complain(e.line(), ExitStatus.USAGE);
            } catch (IllegalArgumentException e) {
                return complain(String.valueOf(e.getMessage()), ExitStatus.USAGE);
            }
        }

        private static int complain(String line, int status) {
            System.err.println("stillcut: " + line);
            return status;
        }
    }

    @Command(
            name = "init",
            description =
                    "Makes an authority. Whoever reads its ca-key.pem can be anybody: keep it where no daemon runs.",
            mixinStandardHelpOptions = true)
    static final class Init extends OnAuthority {
        @Parameters(paramLabel = "DIR", description = "New directory of the authority.")
        private Path directory = Path.of("");

        @Override
        String run(InstantSource clock, SecureRandom random) throws IOException, AuthorityException {
            CertificateAuthority authority = CertificateAuthority.create(directory, clock, random);
            return "authority made in " + authority;
        }
    }

    @Command(
            name = "issue",
            description = "Makes a key and a certificate, as the directory that --tls asks for.",
            mixinStandardHelpOptions = true)
    static final class Issue extends OnAuthority {
        @Parameters(paramLabel = "DIR", description = "Directory of the authority.")
        private Path directory = Path.of("");

        @Option(names = "--role", required = true, description = "user, operator, agent or coordinator")
        private String role = "";

        @Option(
                names = "--name",
                description = "Of the user or operator; of an agent, its node's; default: coordinator.")
        private @Nullable String name;

        @Option(
                names = "--host",
                paramLabel = "HOST",
                description = "Name or address that a coordinator is reached by; may be given several times.")
        private List<String> hosts = List.of();

        @Option(
                names = "--days",
                defaultValue = "365",
                description = "Life of the certificate; default: ${DEFAULT-VALUE}")
        private int days;

        @Option(names = "--out", paramLabel = "DIR", description = "New directory; default: DIR/issued/ROLE-NAME")
        private @Nullable Path out;

        @Override
        String run(InstantSource clock, SecureRandom random) throws IOException, AuthorityException, UsageException {
            Role wanted = Role.of(role)
                    .orElseThrow(
                            () -> new UsageException("--role " + role + ": is user, operator, agent or coordinator"));
            CertificateAuthority.Request request = new CertificateAuthority.Request(
                    new Identity(wanted, nameFor(wanted)), hosts, Duration.ofDays(days));
            CertificateAuthority authority = CertificateAuthority.open(directory, clock, random);
            Path target = out == null ? authority.placeOf(request.identity()) : out;
            authority.issue(request, target);
            return request.identity() + ": " + target;
        }

        private String nameFor(Role wanted) throws UsageException {
            if (name != null) {
                return name;
            }
            if (wanted == Role.COORDINATOR) {
                return wanted.word();
            }
            throw new UsageException("--role " + role + " needs --name");
        }
    }
}
