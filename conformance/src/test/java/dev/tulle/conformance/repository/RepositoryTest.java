package dev.tulle.conformance.repository;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MappingIterator;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.junit.jupiter.api.Test;
import org.w3c.dom.Document;
import org.w3c.dom.Element;
import org.w3c.dom.Node;
import org.w3c.dom.NodeList;
import org.xml.sax.SAXException;

/** The habits of the repository: what a reader or a machine relies on without looking. */
class RepositoryTest {
    private static final Path ROOT = Repository.root();
    private static final Pattern FENCE = Pattern.compile("(?ms)^( *)```(ya?ml|json)[^\\n]*\\n(.*?)^\\1```");
    private static final Pattern LINK = Pattern.compile("\\]\\(([^)#:\\s]+)(#[^)]*)?\\)");

    @Test
    void everyTopLevelFolderSaysWhatItIs() throws IOException {
        try (var folders = Files.list(ROOT)) {
            assertThat(folders.filter(Files::isDirectory)
                            .filter(folder -> !folder.getFileName().toString().startsWith(".")
                                    && !folder.getFileName().toString().equals("target")))
                    .isNotEmpty()
                    .allSatisfy(folder -> assertThat(folder.resolve("README.md"))
                            .exists()
                            .content()
                            .startsWith("# ")
                            .hasSizeGreaterThan(200));
        }
    }

    @Test
    void theTopLevelIsTheFixedOne() {
        assertThat(List.of(
                        "README.md",
                        "LICENSE",
                        "CHANGELOG.md",
                        "mvnw",
                        ".mvn/jdk.sh",
                        ".ci/run",
                        "pom.xml",
                        "smi-crds",
                        "proxy",
                        "controller",
                        "install",
                        "quickstart",
                        "conformance"))
                .allSatisfy(name -> assertThat(ROOT.resolve(name)).exists());
    }

    @Test
    void yamlAndJsonInOurDocumentsCanBeRead() {
        List<Path> documents = documents();
        assertThat(documents).isNotEmpty();
        for (Path document : documents) {
            Matcher fence = FENCE.matcher(Repository.text(document));
            while (fence.find()) {
                String block = fence.group(3).indent(-fence.group(1).length());
                ObjectMapper mapper = fence.group(2).equals("json") ? new ObjectMapper() : new YAMLMapper();
                assertThatCode(() -> readAll(mapper, block))
                        .as("%s: %n%s", document, block)
                        .doesNotThrowAnyException();
            }
        }
    }

    @Test
    void everyYamlFileOutsideTestsCanBeRead() {
        for (Path file : Repository.files()) {
            String name = ROOT.relativize(file).toString();
            if ((name.endsWith(".yaml") || name.endsWith(".yml")) && !name.contains("src/test/")) {
                assertThatCode(() -> readAll(new YAMLMapper(), Repository.text(file)))
                        .as(name)
                        .doesNotThrowAnyException();
            }
        }
    }

    @Test
    void linksInOurDocumentsLeadSomewhere() {
        for (Path document : documents()) {
            Matcher link = LINK.matcher(Repository.text(document));
            while (link.find()) {
                assertThat(document.resolveSibling(link.group(1)))
                        .as("the link %s in %s", link.group(1), ROOT.relativize(document))
                        .exists();
            }
        }
    }

    @Test
    void noFileNamesAPlaceOnSomebodysMachine() {
        // Put together here so that this file does not hold what it looks for.
        Pattern place = Pattern.compile("(?<![\\w.:}/-])/(" + "work|root|Users|home/[a-z]" + ")[/\\w]");
        for (Path file : Repository.files()) {
            if (file.toString().matches(".*\\.(png|jpg|jar|p12|ico|gz|zip)$")) {
                continue;
            }
            assertThat(Repository.text(file)
                            .lines()
                            .filter(line -> place.matcher(line).find()))
                    .as(ROOT.relativize(file).toString())
                    .isEmpty();
        }
    }

    @Test
    void mavenAndEveryScriptThatRunsJavaUseTheJdkFinder() {
        assertThat(Repository.text(ROOT.resolve("mvnw"))).containsPattern("(?m)^\\. \"\\$top/\\.mvn/jdk\\.sh\"$");
        for (Path script : scripts()) {
            String text = Repository.text(script);
            if (text.lines().anyMatch(line -> line.matches("\\s*(exec )?java .*|.*[\\s\"/]bin/java\\b.*"))) {
                assertThat(text).as(ROOT.relativize(script).toString()).contains(".mvn/jdk.sh");
            }
        }
    }

    @Test
    void everyScriptStopsAtItsFirstErrorAndParses() throws Exception {
        List<Path> scripts = scripts();
        assertThat(scripts).isNotEmpty();
        for (Path script : scripts) {
            String name = ROOT.relativize(script).toString();
            String text = Repository.text(script);
            boolean sourced = text.startsWith("# Sourced by ");
            if (!sourced) {
                assertThat(text).as(name).containsPattern("(?m)^set -[a-z]*e[a-z]*u|^set -[a-z]*u[a-z]*e");
                assertThat(Files.isExecutable(script))
                        .as(name + " is executable")
                        .isTrue();
            }
            Process check = new ProcessBuilder("bash", "-n", script.toString())
                    .redirectErrorStream(true)
                    .start();
            String said = new String(check.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            assertThat(check.waitFor(10, TimeUnit.SECONDS)).isTrue();
            assertThat(check.exitValue()).as("%s: %s", name, said).isZero();
        }
    }

    @Test
    void everyPluginAndDependencyIsPinned() throws Exception {
        Document parent = pom(ROOT.resolve("pom.xml"));
        Set<String> managedPlugins = new TreeSet<>();
        for (Element plugin : elements(parent, "plugin")) {
            if (within(plugin, "pluginManagement") && !child(plugin, "version").isEmpty()) {
                managedPlugins.add(child(plugin, "artifactId"));
            }
        }
        // What the life cycle of a jar binds by itself, at whatever version Maven likes.
        assertThat(managedPlugins)
                .contains(
                        "maven-clean-plugin",
                        "maven-resources-plugin",
                        "maven-compiler-plugin",
                        "maven-surefire-plugin",
                        "maven-jar-plugin",
                        "maven-install-plugin",
                        "maven-deploy-plugin",
                        "maven-site-plugin");
        for (Path file : Repository.files()) {
            if (!file.getFileName().toString().equals("pom.xml")) {
                continue;
            }
            String name = ROOT.relativize(file).toString();
            Document pom = pom(file);
            for (Element plugin : elements(pom, "plugin")) {
                String artifact = child(plugin, "artifactId");
                assertThat(!child(plugin, "version").isEmpty() || managedPlugins.contains(artifact))
                        .as("%s pins %s", name, artifact)
                        .isTrue();
            }
            for (Element version : elements(pom, "version")) {
                if (version.getParentNode().getNodeName().equals("requireJavaVersion")
                        || version.getParentNode().getNodeName().equals("requireMavenVersion")) {
                    continue;
                }
                assertThat(version.getTextContent().strip())
                        .as("a version in " + name)
                        .doesNotContain("LATEST", "RELEASE", "[", "(", ",");
            }
            for (Element property : elements(pom, "*")) {
                if (property.getTagName().endsWith(".version")) {
                    assertThat(property.getTextContent().strip()).as(name).matches("[0-9][0-9A-Za-z.-]*");
                }
            }
        }
    }

    @Test
    void theFetchedMavenIsCheckedAgainstItsHash() {
        assertThat(Repository.text(ROOT.resolve("mvnw"))).containsPattern("(?m)^sha256=[0-9a-f]{64}$");
    }

    private static List<Path> documents() {
        return Repository.files().stream()
                .filter(file -> file.toString().endsWith(".md"))
                .toList();
    }

    private static List<Path> scripts() {
        return Repository.files().stream()
                .filter(file -> {
                    String name = file.getFileName().toString();
                    return name.endsWith(".sh")
                            || (!name.contains(".") && Repository.text(file).matches("(?s)#!\\S*(/| )(ba)?sh\\n.*"));
                })
                .toList();
    }

    private static List<JsonNode> readAll(ObjectMapper mapper, String text) throws IOException {
        try (MappingIterator<JsonNode> nodes = mapper.readerFor(JsonNode.class).readValues(text)) {
            return nodes.readAll();
        }
    }

    private static Document pom(Path file) throws ParserConfigurationException, IOException, SAXException {
        return DocumentBuilderFactory.newDefaultInstance().newDocumentBuilder().parse(file.toFile());
    }

    private static List<Element> elements(Document document, String name) {
        NodeList nodes = document.getElementsByTagName(name);
        List<Element> elements = new ArrayList<>();
        for (int i = 0; i < nodes.getLength(); i++) {
            elements.add((Element) nodes.item(i));
        }
        return elements;
    }

    private static String child(Element element, String name) {
        NodeList children = element.getChildNodes();
        for (int i = 0; i < children.getLength(); i++) {
            if (children.item(i).getNodeName().equals(name)) {
                return children.item(i).getTextContent().strip();
            }
        }
        return "";
    }

    private static boolean within(Element element, String ancestor) {
        for (Node node = element.getParentNode(); node != null; node = node.getParentNode()) {
            if (node.getNodeName().equals(ancestor)) {
                return true;
            }
        }
        return false;
    }
}
