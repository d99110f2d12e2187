package dev.tulle.conformance.smi.report;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import javax.xml.stream.XMLOutputFactory;
import javax.xml.stream.XMLStreamException;
import javax.xml.stream.XMLStreamWriter;

/** Writes a report as files: {@code smi-conformance.json}, {@code smi-conformance.md} and {@code TEST-smi-conformance.xml} (JUnit). */
public final class Reports {
    private static final ObjectMapper JSON = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    /** The JSON has all of it. */
    private static final int LONGEST_CELL = 500;

    private Reports() {}

    /** Writes all three into a folder, which is made; what a run before left there is replaced. */
    public static void write(RunReport report, Path folder) throws IOException {
        Files.createDirectories(folder);
        Files.writeString(folder.resolve("smi-conformance.json"), json(report));
        Files.writeString(folder.resolve("smi-conformance.md"), markdown(report));
        Files.writeString(folder.resolve("TEST-smi-conformance.xml"), junit(report));
    }

    static String json(RunReport report) throws IOException {
        ObjectNode root = JSON.createObjectNode();
        root.putObject("mesh").put("name", report.mesh()).put("version", report.meshVersion());
        root.put("kubernetes", report.kubernetes());
        ObjectNode namespaces = root.putObject("namespaces");
        put(namespaces.putObject("labels"), report.labels());
        put(namespaces.putObject("annotations"), report.annotations());
        root.put("started", report.started().toString());
        root.put("seconds", seconds(report.duration().toMillis()));
        root.put("complete", report.complete());
        if (!report.complete()) {
            root.put("stopped", report.stopped());
        }
        root.put("result", report.passed() ? "passed" : "failed");
        for (Result result : Result.values()) {
            root.put(result.word(), report.count(result));
        }
        ArrayNode groups = root.putArray("groups");
        report.groups().forEach((name, cases) -> {
            ObjectNode group = groups.addObject().put("name", name);
            group.put("steps", cases.size());
            for (Result result : Result.values()) {
                group.put(result.word(), count(cases, result));
            }
            ArrayNode list = group.putArray("cases");
            for (CaseResult one : cases) {
                ObjectNode node = list.addObject()
                        .put("id", one.id())
                        .put("sentence", one.sentence())
                        .put("api", one.api())
                        .put("version", one.version())
                        .put("result", one.result().word());
                if (!one.reading().isEmpty()) {
                    node.put("reading", one.reading());
                }
                if (!one.reason().isEmpty()) {
                    node.put("reason", one.reason());
                }
                ObjectNode measured = node.putObject("measured");
                one.measured().forEach((key, value) -> {
                    if (value.matches("-?\\d{1,15}")) {
                        measured.put(key, Long.parseLong(value));
                    } else {
                        measured.put(key, value);
                    }
                });
                node.put("seconds", seconds(one.duration().toMillis()));
            }
        });
        return JSON.writeValueAsString(root) + "\n";
    }

    static String markdown(RunReport report) {
        StringBuilder page = new StringBuilder();
        String mesh = (report.mesh() + " " + report.meshVersion()).strip();
        page.append("# SMI conformance of %s\n\n".formatted(mesh.isEmpty() ? "a mesh without a name" : cell(mesh)));
        page.append("%s: %d passed, %d failed, %d skipped. Kubernetes %s, %s, %s s.%s\n"
                .formatted(
                        report.passed() ? "**Passed**" : "**Not passed**",
                        report.count(Result.PASSED),
                        report.count(Result.FAILED),
                        report.count(Result.SKIPPED),
                        cell(report.kubernetes()),
                        report.started().toString().substring(0, 10),
                        report.duration().toSeconds(),
                        report.complete() ? "" : " **Not run to its end**: " + cell(report.stopped()) + "."));
        page.append("Namespaces of the test: labels %s, annotations %s.\n"
                .formatted(pairs(report.labels()), pairs(report.annotations())));
        report.groups().forEach((name, cases) -> {
            page.append("\n## %s: %d of %d\n\n".formatted(name, count(cases, Result.PASSED), cases.size()));
            page.append("| case | API | sentence | result | measured |\n|---|---|---|---|---|\n");
            for (CaseResult one : cases) {
                page.append("| %s | %s %s | %s | %s | %s |\n"
                        .formatted(
                                one.id(),
                                one.api(),
                                one.version(),
                                cell(one.sentence()
                                        + (one.reading().isEmpty() ? "" : " (A reading: " + one.reading() + ".)")),
                                one.result() == Result.PASSED
                                        ? "passed"
                                        : "**%s**: %s".formatted(one.result().word(), cell(one.reason())),
                                cell(one.measured().entrySet().stream()
                                        .map(entry -> entry.getKey() + " " + entry.getValue())
                                        .collect(Collectors.joining(", ")))));
            }
        });
        return page.toString();
    }

    static String junit(RunReport report) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            XMLStreamWriter xml = XMLOutputFactory.newInstance().createXMLStreamWriter(bytes, "UTF-8");
            xml.writeStartDocument("UTF-8", "1.0");
            xml.writeStartElement("testsuites");
            counts(xml, report.cases());
            for (Map.Entry<String, List<CaseResult>> group : report.groups().entrySet()) {
                xml.writeStartElement("testsuite");
                xml.writeAttribute("name", group.getKey());
                counts(xml, group.getValue());
                for (CaseResult one : group.getValue()) {
                    xml.writeStartElement("testcase");
                    xml.writeAttribute("classname", one.group());
                    xml.writeAttribute("name", one.id() + " " + one.version());
                    xml.writeAttribute("time", seconds(one.duration().toMillis()));
                    if (one.result() != Result.PASSED) {
                        xml.writeStartElement(one.result() == Result.FAILED ? "failure" : "skipped");
                        xml.writeAttribute("message", printable(one.reason()));
                        xml.writeEndElement();
                    }
                    xml.writeEndElement();
                }
                xml.writeEndElement();
            }
            xml.writeEndElement();
            xml.writeEndDocument();
            xml.close();
        } catch (XMLStreamException e) {
            throw new IOException(e);
        }
        return bytes.toString(UTF_8) + "\n";
    }

    private static void counts(XMLStreamWriter xml, List<CaseResult> cases) throws XMLStreamException {
        xml.writeAttribute("tests", String.valueOf(cases.size()));
        xml.writeAttribute("failures", String.valueOf(count(cases, Result.FAILED)));
        xml.writeAttribute("skipped", String.valueOf(count(cases, Result.SKIPPED)));
        xml.writeAttribute("errors", "0");
    }

    private static long count(List<CaseResult> cases, Result result) {
        return cases.stream().filter(one -> one.result() == result).count();
    }

    private static String seconds(long millis) {
        return String.format(Locale.ROOT, "%.1f", millis / 1000.0);
    }

    private static void put(ObjectNode node, Map<String, String> values) {
        new TreeMap<>(values).forEach(node::put);
    }

    private static String pairs(Map<String, String> values) {
        return values.isEmpty()
                ? "none"
                : new TreeMap<>(values)
                        .entrySet().stream()
                                .map(entry -> entry.getKey() + "=" + entry.getValue())
                                .collect(Collectors.joining(" ", "`", "`"));
    }

    /** What a table's cell can hold. */
    private static String cell(String text) {
        String line = printable(text)
                .replaceAll("\\s+", " ")
                .replace("|", "\\|")
                .replace("<", "&lt;")
                .strip();
        return line.length() <= LONGEST_CELL ? line : line.substring(0, LONGEST_CELL) + "...";
    }

    /** Without the characters that XML cannot hold. */
    private static String printable(String text) {
        return text.replaceAll("[^\\t\\n\\r\\x20-\\uD7FF\\uE000-\\uFFFD]", "?");
    }
}
