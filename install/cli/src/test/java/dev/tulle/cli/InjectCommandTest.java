package dev.tulle.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InjectCommandTest {
    private static final String POD = """
            # mine
            apiVersion: v1
            kind: Pod
            metadata: {name: web}
            spec:
              containers: [{name: web, image: "web:1"}]
            """;

    @TempDir
    private Path directory = Path.of("");

    @Test
    void putsProxiesInAndTellsWhereOnStandardError() throws IOException {
        Ran ran = Ran.tulle("inject", "--image=mine:2", "--pull-policy=Never", file("web.yaml", POD));

        assertThat(ran.exitCode()).isZero();
        assertThat(ran.out()).startsWith("# mine\n").contains("name: tulle-proxy", "mine:2", "imagePullPolicy: Never");
        assertThat(ran.err()).contains("web.yaml: Pod default/web: proxy put in");
    }

    @Test
    void takesThemOutAgain() throws IOException {
        String meshed = Ran.tulle("inject", file("web.yaml", POD)).out();

        Ran ran = Ran.tulle("inject", "--uninject", "-q", file("meshed.yaml", meshed));

        assertThat(ran.exitCode()).isZero();
        assertThat(ran.out()).contains("# mine", "name: web").doesNotContain("tulle");
        assertThat(ran.err()).isEmpty();
    }

    @Test
    void isAFilter() {
        InputStream before = System.in;
        System.setIn(new ByteArrayInputStream(POD.getBytes(StandardCharsets.UTF_8)));
        try {
            Ran ran = Ran.tulle("inject", "-");

            assertThat(ran.exitCode()).isZero();
            assertThat(ran.out()).contains("tulle-proxy");
        } finally {
            System.setIn(before);
        }
    }

    @Test
    void joinsFilesAsDocuments() throws IOException {
        Ran ran = Ran.tulle("inject", file("a.yaml", "kind: A"), file("b.yaml", "kind: B\n"));

        assertThat(ran.out()).isEqualTo("kind: A\n---\nkind: B\n");
    }

    @Test
    void printsNothingWhenOnePodCannotBeMeshed() throws IOException {
        String bad = POD.replace("{name: web}", "{name: web, annotations: {config.tulle.dev/proxy-log-level: loud}}");

        Ran ran = Ran.tulle("inject", file("good.yaml", POD), file("bad.yaml", bad));

        assertThat(ran.exitCode()).isEqualTo(1);
        assertThat(ran.out()).isEmpty();
        assertThat(ran.err())
                .contains("bad.yaml: error: annotation config.tulle.dev/proxy-log-level of Pod default/web is 'loud'")
                .contains("write one of debug, info, warn, error", "nothing is printed");
    }

    @Test
    void saysWhatCannotBeRead() throws IOException {
        assertThat(Ran.tulle("inject").exitCode()).isEqualTo(2);
        assertThat(Ran.tulle("inject", directory.resolve("gone").toString()).exitCode())
                .isEqualTo(2);
        Ran ran = Ran.tulle("inject", file("odd.yaml", "a: [\n"));
        assertThat(ran.exitCode()).isEqualTo(2);
        assertThat(ran.err()).contains("odd.yaml: not YAML", "line 2");
        assertThat(ran.out()).isEmpty();
    }

    private String file(String name, String text) throws IOException {
        return Files.writeString(directory.resolve(name), text).toString();
    }
}
