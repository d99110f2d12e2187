package dev.tulle.cli;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/** A table for a terminal: upper-case headings, columns two blanks apart, numbers to the right. */
final class Table {
    private final List<String> headings;
    private final List<List<String>> rows = new ArrayList<>();

    /** A heading that starts with {@code >} has its column set to the right. */
    Table(String... headings) {
        this.headings = Arrays.stream(headings)
                .map(heading -> heading.toUpperCase(Locale.ROOT))
                .toList();
    }

    void row(String... cells) {
        if (cells.length != headings.size()) {
            throw new IllegalArgumentException("%d cells for %d headings".formatted(cells.length, headings.size()));
        }
        rows.add(Arrays.stream(cells).map(cell -> cell.isEmpty() ? "-" : cell).toList());
    }

    boolean isEmpty() {
        return rows.isEmpty();
    }

    @Override
    public String toString() {
        List<Integer> widths = new ArrayList<>();
        for (int column = 0; column < headings.size(); column++) {
            int at = column;
            widths.add(Math.max(
                    heading(column).length(),
                    rows.stream().mapToInt(row -> row.get(at).length()).max().orElse(0)));
        }
        StringBuilder text = new StringBuilder();
        line(text, widths, headings.stream().map(Table::bare).toList());
        rows.forEach(row -> line(text, widths, row));
        return text.toString();
    }

    private void line(StringBuilder text, List<Integer> widths, List<String> cells) {
        StringBuilder line = new StringBuilder();
        for (int column = 0; column < cells.size(); column++) {
            String padding = " ".repeat(widths.get(column) - cells.get(column).length());
            boolean right = headings.get(column).startsWith(">");
            line.append(column == 0 ? "" : "  ")
                    .append(right ? padding : "")
                    .append(cells.get(column))
                    .append(right ? "" : padding);
        }
        text.append(line.toString().stripTrailing()).append('\n');
    }

    private String heading(int column) {
        return bare(headings.get(column));
    }

    private static String bare(String heading) {
        return heading.startsWith(">") ? heading.substring(1) : heading;
    }
}
