package org.stillcut.cli;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Columns for a person: as wide as their widest cell, two blanks apart. On a narrow screen the columns that were said to be
 * elastic are cut first; what is not printed on a screen is never cut.
 */
final class TextTable {
    private static final int GAP = 2;

    /** Narrower than that a column tells nothing. */
    private static final int NARROWEST = 8;

    private static final String CUT = "…";

    private final List<Object[]> rows = new ArrayList<>();
    private int[] elastic = {};

    TextTable(String... headings) {
        rows.add(headings);
    }

    /** Columns that may be cut, the first one first. */
    TextTable elastic(int... columns) {
        elastic = columns.clone();
        return this;
    }

    /** A cell is anything; a {@link Style.Word} is shown in its colour. */
    TextTable row(Object... cells) {
        rows.add(cells.clone());
        return this;
    }

    /** As wide as it is, without colours. */
    @Override
    public String toString() {
        return render(Style.PLAIN);
    }

    String render(Style style) {
        int[] widths = new int[rows.getFirst().length];
        for (Object[] row : rows) {
            for (int column = 0; column < row.length; column++) {
                widths[column] = Math.max(widths[column], text(row[column]).length());
            }
        }
        fit(widths, style.columns());
        StringBuilder text = new StringBuilder();
        for (Object[] row : rows) {
            StringBuilder line = new StringBuilder();
            int blanks = 0;
            for (int column = 0; column < row.length; column++) {
                String cell = cut(text(row[column]), widths[column]);
                if (!cell.isEmpty()) {
                    line.repeat(' ', blanks).append(style.show(row[column], cell));
                    blanks = 0;
                }
                blanks += widths[column] - cell.length() + GAP;
            }
            text.append(line).append('\n');
        }
        return text.toString();
    }

    private static String text(Object cell) {
        return cell instanceof Style.Word word ? word.text() : String.valueOf(cell);
    }

    private void fit(int[] widths, int columns) {
        int excess = Arrays.stream(widths).sum() + GAP * (widths.length - 1) - columns;
        for (int column : elastic) {
            int less = Math.clamp(excess, 0, Math.max(0, widths[column] - NARROWEST));
            widths[column] -= less;
            excess -= less;
        }
    }

    private static String cut(String cell, int width) {
        return cell.length() <= width ? cell : cell.substring(0, Math.max(0, width - 1)) + CUT;
    }
}
