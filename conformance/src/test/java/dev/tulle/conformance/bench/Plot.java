package dev.tulle.conformance.bench;

import dev.tulle.conformance.bench.Subject.Known;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * One SVG: a panel of bars for each measure, a bar for each proxy, a whisker from the least to the greatest round, and a dashed line
 * where Tulle's bar should end. Its colours follow the reader's light or dark scheme.
 *
 * @param file its name
 */
record Plot(String file, String title, List<Measure> measures) {
    static final List<Plot> ALL = List.of(
            new Plot(
                    "cpu.svg",
                    "CPU time of both proxies for a request",
                    List.of(Measure.HTTP1_CPU, Measure.HTTP2_CPU, Measure.GRPC_CPU)),
            new Plot(
                    "rate.svg",
                    "Requests per second at saturation",
                    List.of(Measure.HTTP1_RATE, Measure.HTTP2_RATE, Measure.GRPC_RATE)),
            new Plot(
                    "latency.svg",
                    "Latency at 1,000 requests a second",
                    List.of(Measure.ADDED_P50, Measure.WARM_P99, Measure.COLD_P99)),
            new Plot(
                    "connections.svg",
                    "New connections and bulk",
                    List.of(Measure.FULL_CPU, Measure.RESUMED_CPU, Measure.TCP_RATE)),
            new Plot(
                    "memory.svg",
                    "Memory and start",
                    List.of(Measure.MEMORY_IDLE, Measure.MEMORY_LOAD, Measure.IDLE_BYTES, Measure.START)));

    private static final int WIDTH = 760;
    private static final int LEFT = 120;
    private static final int BAR_SPACE = 520;
    private static final int BAR = 16;
    private static final int STEP = 24;
    private static final int PANEL_HEAD = 40;
    private static final int HEAD = 44;

    /** Nothing if none of its measures was taken. */
    Optional<String> draw(Results results, List<Known> columns) {
        List<Measure> taken =
                measures.stream().filter(results.measures()::contains).toList();
        if (taken.isEmpty()) {
            return Optional.empty();
        }
        StringBuilder panels = new StringBuilder();
        int y = HEAD;
        for (Measure measure : taken) {
            List<Known> bars = columns.stream()
                    .filter(known ->
                            known != Known.DIRECT && results.of(measure, known).isPresent())
                    .toList();
            y = panel(panels, y, measure, bars, results);
        }
        return Optional.of("""
                <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %1$d %2$d" width="%1$d" height="%2$d" role="img" aria-label="%3$s">
                <style>
                  svg { --ink: #1f2328; --soft: #59636e; --bar: #b6bec8; --ours: #0b7285; --line: #d1d9e0; --goal: #bf3989; --back: #ffffff }
                  @media (prefers-color-scheme: dark) {
                    svg { --ink: #f0f6fc; --soft: #9198a1; --bar: #57606a; --ours: #3bc9db; --line: #3d444d; --goal: #f778ba; --back: #0d1117 }
                  }
                  text { font: 13px system-ui, -apple-system, "Segoe UI", sans-serif; fill: var(--ink) }
                  .title { font-size: 16px; font-weight: 600 }
                  .panel { font-weight: 600 }
                  .soft { fill: var(--soft); font-weight: 400 }
                  .back { fill: var(--back) }
                  .bar { fill: var(--bar) }
                  .ours { fill: var(--ours) }
                  .whisker { stroke: var(--ink); stroke-width: 1.2; fill: none }
                  .axis { stroke: var(--line) }
                  .goal { stroke: var(--goal); stroke-width: 2; stroke-dasharray: 4 3 }
                  .goalword { fill: var(--goal); font-size: 12px }
                </style>
                <rect class="back" width="%1$d" height="%2$d" rx="6"/>
                <text class="title" x="16" y="28">%3$s</text>
                %4$s</svg>
                """.formatted(WIDTH, y + 8, title, panels));
    }

    private static int panel(StringBuilder out, int top, Measure measure, List<Known> bars, Results results) {
        double most = bars.stream()
                .flatMap(known -> results.of(measure, known).stream())
                .mapToDouble(Results.Spread::greatest)
                .max()
                .orElse(1);
        Optional<Goal> goal = Goal.of(measure).stream()
                .filter(candidate -> candidate.subject() == Known.TULLE
                        && candidate.place(results).isPresent())
                .min(Comparator.comparingDouble(
                        candidate -> place(candidate, results) * (candidate.atMost() ? 1 : -1)));
        double goalAt = goal.map(known -> place(known, results)).orElse(0.0);
        double scale = BAR_SPACE / Math.max(Math.max(most, goalAt), Double.MIN_NORMAL);
        out.append("<text class=\"panel\" x=\"16\" y=\"%d\">%s, %s <tspan class=\"soft\">%s is better</tspan></text>\n"
                .formatted(top + 22, measure.title, measure.unit, measure.moreIsBetter() ? "more" : "less"));
        int y = top + PANEL_HEAD - 6;
        for (Known known : bars) {
            Results.Spread spread = results.of(measure, known).orElseThrow();
            double end = LEFT + Math.max(0, spread.median()) * scale;
            boolean ours = known == Known.TULLE || known == Known.NATIVE;
            out.append(
                    "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>\n".formatted(LEFT - 8, y + 13, known.title));
            out.append(rectangle(ours ? "ours" : "bar", LEFT, y, end - LEFT));
            if (spread.greatest() > spread.least()) {
                double from = LEFT + Math.max(0, spread.least()) * scale;
                out.append(whisker(from, LEFT + Math.max(0, spread.greatest()) * scale, y + BAR / 2));
            }
            out.append("<text x=\"%d\" y=\"%d\" text-anchor=\"end\">%s</text>\n"
                    .formatted(WIDTH - 16, y + 13, Report.number(spread.median())));
            y += STEP;
        }
        out.append("<line class=\"axis\" x1=\"%1$d\" x2=\"%1$d\" y1=\"%2$d\" y2=\"%3$d\"/>\n"
                .formatted(LEFT, top + PANEL_HEAD - 10, y - 4));
        if (goal.isPresent()) {
            out.append("<line class=\"goal\" x1=\"%1$s\" x2=\"%1$s\" y1=\"%2$d\" y2=\"%3$d\"/>\n"
                    .formatted(at(LEFT + goalAt * scale), top + PANEL_HEAD - 10, y - 4));
            out.append("<text class=\"goalword\" x=\"%d\" y=\"%d\" text-anchor=\"end\">goal %s</text>\n"
                    .formatted(WIDTH - 16, top + 22, goal.get()));
        }
        return y + 6;
    }

    private static double place(Goal goal, Results results) {
        return goal.place(results).orElseThrow();
    }

    private static String rectangle(String kind, double x, int y, double width) {
        return "<rect class=\"%s\" x=\"%s\" y=\"%d\" width=\"%s\" height=\"%d\" rx=\"2\"/>\n"
                .formatted(kind, at(x), y, at(width), BAR);
    }

    private static String whisker(double from, double to, int y) {
        return "<path class=\"whisker\" d=\"M%1$s %3$dV%4$dM%1$s %5$dH%2$sM%2$s %3$dV%4$d\"/>\n"
                .formatted(at(from), at(to), y - 4, y + 4, y);
    }

    private static String at(double value) {
        return String.format(Locale.ROOT, "%.1f", value);
    }
}
