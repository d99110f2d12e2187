package dev.tulle.proxy;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.netty.handler.ssl.OpenSsl;
import io.netty.internal.tcnative.SSL;
import java.io.IOException;
import java.io.InputStream;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.jar.JarFile;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * What native-image is told of classes that C code asks for: it must name what is there, and all of it. Without an
 * entry a native proxy would find no BoringSSL; without this test one learns it there.
 */
class NativeMetadataTest {
    private static final String FILE = "/META-INF/native-image/dev.tulle/tulle-sidecar/reachability-metadata.json";
    private static final String TCNATIVE = "io.netty.internal.tcnative.";

    private final Map<String, Set<String>> types = read();

    @Test
    void everyClassThatIsNamedExists() {
        assertThat(types.keySet())
                .filteredOn(name -> !name.endsWith("[]"))
                .allSatisfy(
                        name -> assertThat(Class.forName(name, false, getClass().getClassLoader()))
                                .isNotNull());
    }

    @Test
    void everyClassOfTheJniLibraryIsThere() throws Exception {
        assertThat(classesBeside(SSL.class, TCNATIVE))
                .hasSizeGreaterThan(20)
                .allSatisfy(name -> assertThat(types.get(name))
                        .as(name)
                        .contains(
                                "jniAccessible", "allDeclaredMethods", "allDeclaredFields", "allDeclaredConstructors"));
    }

    @Test
    void everyClassThatTheJniLibraryCallsBackIsThere() throws Exception {
        List<String> callbacks = classesBeside(OpenSsl.class, "io.netty.handler.ssl.").stream()
                .filter(name ->
                        load(name).filter(NativeMetadataTest::isCalledBack).isPresent())
                .toList();

        assertThat(callbacks)
                .hasSizeGreaterThan(10)
                .allSatisfy(
                        name -> assertThat(types.get(name)).as(name).contains("jniAccessible", "allDeclaredMethods"));
    }

    private static boolean isCalledBack(Class<?> type) {
        for (Class<?> at = type; at != null; at = at.getSuperclass()) {
            if (at.getName().startsWith(TCNATIVE)
                    || Stream.of(at.getInterfaces())
                            .anyMatch(one -> one.getName().startsWith(TCNATIVE) || isCalledBack(one))) {
                return true;
            }
        }
        return false;
    }

    /** Some of Netty's classes stand for libraries that are not here. */
    private static Optional<Class<?>> load(String name) {
        try {
            return Optional.of(Class.forName(name, false, NativeMetadataTest.class.getClassLoader()));
        } catch (ClassNotFoundException | NoClassDefFoundError e) {
            return Optional.empty();
        }
    }

    /** Names of all classes of the jar or folder that one of them came from. */
    private static List<String> classesBeside(Class<?> one, String prefix) throws IOException, URISyntaxException {
        Path place =
                Path.of(one.getProtectionDomain().getCodeSource().getLocation().toURI());
        List<String> files = new ArrayList<>();
        if (Files.isDirectory(place)) {
            try (Stream<Path> all = Files.walk(place)) {
                all.forEach(file -> files.add(place.relativize(file).toString()));
            }
        } else {
            try (JarFile jar = new JarFile(place.toFile())) {
                jar.stream().forEach(entry -> files.add(entry.getName()));
            }
        }
        return files.stream()
                .filter(file -> file.endsWith(".class") && !file.endsWith("-info.class"))
                .map(file ->
                        file.substring(0, file.length() - ".class".length()).replace('/', '.'))
                .filter(name -> name.startsWith(prefix))
                .sorted()
                .toList();
    }

    /** Each type and the names of its other members that are not false. */
    private static Map<String, Set<String>> read() {
        Map<String, Set<String>> types = new TreeMap<>();
        try (InputStream in = NativeMetadataTest.class.getResourceAsStream(FILE);
                JsonParser json = new JsonFactory().createParser(in)) {
            String type = "";
            for (JsonToken token = json.nextToken(); token != null; token = json.nextToken()) {
                if (token == JsonToken.VALUE_STRING && "type".equals(json.currentName())) {
                    type = json.getText();
                    types.put(type, new TreeSet<>());
                } else if (token == JsonToken.VALUE_TRUE) {
                    types.computeIfAbsent(type, none -> new TreeSet<>()).add(json.currentName());
                }
            }
            return types;
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }
}
