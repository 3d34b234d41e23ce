package org.stillcut.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine.Help;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.PositionalParamSpec;

/** The manual pages of a command and all below it, in man's own language (man-pages(7), groff_man(7)). */
final class ManPages {
    private ManPages() {}

    /** Pages by name, without the section. The mpirun wrapper's is among them. */
    static Map<String, String> of(CommandSpec root) {
        Map<String, String> pages = new TreeMap<>();
        collect(root, pages);
        pages.put("stillcut-mpirun", wrapper());
        return pages;
    }

    private static void collect(CommandSpec spec, Map<String, String> pages) {
        pages.put(nameOf(spec), page(spec));
        subcommands(spec).forEach(below -> collect(below, pages));
    }

    private static Stream<CommandSpec> subcommands(CommandSpec spec) {
        return spec.subcommands().entrySet().stream()
                // Aliases are in the map too.
                .filter(entry -> entry.getKey().equals(entry.getValue().getCommandName()))
                .map(entry -> entry.getValue().getCommandSpec());
    }

    private static String nameOf(CommandSpec spec) {
        return spec.qualifiedName("-");
    }

    private static String page(CommandSpec spec) {
        List<String> lines = new ArrayList<>();
        String[] description = spec.usageMessage().description();
        lines.add(".TH " + nameOf(spec).toUpperCase(Locale.ROOT) + " 1 \"\" stillcut");
        lines.add(".SH NAME");
        lines.add(escape(nameOf(spec) + " - " + first(description)));
        lines.add(".SH SYNOPSIS");
        lines.add(escape(synopsis(spec)));
        lines.add(".SH DESCRIPTION");
        for (String line : description) {
            lines.add(escape(line));
            lines.add(".br");
        }
        List<ArgSpec> arguments = new ArrayList<>(spec.positionalParameters());
        spec.options().stream().filter(option -> !option.hidden()).forEach(arguments::add);
        if (!arguments.isEmpty()) {
            lines.add(".SH OPTIONS");
            arguments.forEach(argument -> describe(argument, lines));
        }
        List<CommandSpec> below = subcommands(spec).toList();
        if (!below.isEmpty()) {
            lines.add(".SH COMMANDS");
            below.forEach(command ->
                    item(nameOf(command) + "(1)", first(command.usageMessage().description()), lines));
        }
        lines.add(".SH EXIT STATUS");
        lines.add(escape(ExitStatus.TABLE));
        return String.join("\n", lines) + "\n";
    }

    private static String synopsis(CommandSpec spec) {
        return new Help(spec, Help.defaultColorScheme(Help.Ansi.OFF))
                .synopsis(0)
                .strip()
                .replaceAll("\\s+", " ");
    }

    private static void describe(ArgSpec argument, List<String> lines) {
        String term = switch (argument) {
            case OptionSpec option ->
                String.join(", ", option.names()) + (option.arity().max() > 0 ? " " + option.paramLabel() : "");
            case PositionalParamSpec positional -> positional.paramLabel();
            default -> argument.paramLabel();
        };
        item(term, String.join(" ", argument.description()), lines);
    }

    private static void item(String term, String text, List<String> lines) {
        lines.add(".TP");
        lines.add(".B " + escape(term));
        lines.add(escape(text));
    }

    private static String first(String[] lines) {
        return lines.length == 0 ? "" : lines[0];
    }

    private static String wrapper() {
        String body = CkptOptions.HELP.lines().map(ManPages::escape).collect(Collectors.joining("\n"));
        return """
                .TH STILLCUT-MPIRUN 1 "" stillcut
                .SH NAME
                stillcut-mpirun \\- Open MPI's mpirun, with checkpoints
                .SH SYNOPSIS
                mpirun [\\-\\-ckpt...] [options of Open MPI's mpirun] program [arguments]
                .SH DESCRIPTION
                .nf
                %s
                .fi
                .SH EXIT STATUS
                That of Open MPI's mpirun. Before the job has started: as of stillcut(1).
                """.formatted(body);
    }

    /** A leading dot or quote would be a request, a backslash an escape, a bare hyphen another character. */
    private static String escape(String text) {
        String escaped = text.replace("\\", "\\e").replace("-", "\\-");
        return escaped.startsWith(".") || escaped.startsWith("'") ? "\\&" + escaped : escaped;
    }
}
