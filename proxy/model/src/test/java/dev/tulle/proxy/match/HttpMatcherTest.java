package dev.tulle.proxy.match;

import static dev.tulle.proxy.match.Requests.request;
import static org.assertj.core.api.Assertions.assertThat;

import dev.tulle.proxy.model.HttpMatch;
import dev.tulle.proxy.model.HttpMatch.HeaderPattern;
import dev.tulle.proxy.model.HttpMatch.PathPattern;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class HttpMatcherTest {
    private final List<String> problems = new ArrayList<>();

    @Test
    void asksForPathAndMethodAndEveryHeader() {
        HttpMatcher matcher = matcher(
                Optional.of(new PathPattern("/reviews", false)),
                List.of("GET", "HEAD"),
                new HeaderPattern("x-user", "a.*"),
                new HeaderPattern("host", "shop"));
        Requests.Request good =
                request("GET", "/reviews/1").with("x-user", "ann").with("host", "shop");
        assertThat(matcher.matches(good)).isTrue();
        assertThat(matcher.misses(good)).isEmpty();
        assertThat(matcher.misses(new Requests.Request("POST", good.path(), good.headers())))
                .contains("GET|HEAD");
        assertThat(matcher.misses(new Requests.Request("GET", "/x", good.headers())))
                .contains("/reviews");
        assertThat(matcher.misses(good.with("x-user", "bob"))).contains("with x-user a.*");
        assertThat(matcher.misses(good.with("host", "shop.example"))).contains("with host shop");
        assertThat(matcher.words()).isEqualTo("GET|HEAD /reviews with x-user a.* with host shop");
    }

    @Test
    void takesEveryRequestWithoutConditions() {
        HttpMatcher matcher = matcher(Optional.empty(), List.of());
        assertThat(matcher.matches(request("BREW", "*"))).isTrue();
        assertThat(matcher.words()).isEqualTo("every request");
    }

    @Test
    void tellsMethodsApartByCaseAndHeadFromGet() {
        HttpMatcher matcher = matcher(Optional.empty(), List.of("GET"));
        assertThat(matcher.matches(request("GET", "/"))).isTrue();
        assertThat(matcher.matches(request("get", "/"))).isFalse();
        assertThat(matcher.matches(request("HEAD", "/"))).isFalse();
    }

    @Test
    void needsEveryValueOfARepeatedHeaderAndNeverTakesAnAbsentOne() {
        HttpMatcher matcher = matcher(Optional.empty(), List.of(), new HeaderPattern("X-Role", "user|admin|"));
        assertThat(matcher.matches(request("GET", "/").with("x-role", "user", "admin")))
                .isTrue();
        assertThat(matcher.matches(request("GET", "/").with("x-role", ""))).isTrue();
        assertThat(matcher.matches(request("GET", "/").with("x-role", "user", "root")))
                .isFalse();
        assertThat(matcher.matches(request("GET", "/").with("x-role", "user,root")))
                .isFalse();
        assertThat(matcher.matches(request("GET", "/"))).isFalse();
    }

    @Test
    void matchesHeaderValuesWhole() {
        HttpMatcher plain = matcher(Optional.empty(), List.of(), new HeaderPattern("user-agent", "iPhone"));
        assertThat(plain.matches(request("GET", "/").with("user-agent", "an iPhone 9")))
                .isFalse();
        for (String regex : List.of(".*iPhone.*", "^.*iPhone.*$")) {
            HttpMatcher wide = matcher(Optional.empty(), List.of(), new HeaderPattern("user-agent", regex));
            assertThat(wide.matches(request("GET", "/").with("user-agent", "an iPhone 9")))
                    .isTrue();
        }
    }

    @Test
    void matchesNothingByARegexThatCannotBeUsedAndSaysSo() {
        HttpMatcher path = matcher(Optional.of(new PathPattern("/(", false)), List.of());
        HttpMatcher header = matcher(Optional.empty(), List.of(), new HeaderPattern("x", "(?=a)"));
        assertThat(path.matches(request("GET", "/("))).isFalse();
        assertThat(header.matches(request("GET", "/").with("x", "a"))).isFalse();
        assertThat(path.misses(request("GET", "/")))
                .hasValueSatisfying(words -> assertThat(words).startsWith("nothing (its pathRegex is not RE2 syntax"));
        assertThat(problems).hasSize(2);
        assertThat(problems.get(0)).startsWith("pathRegex '/(' of match group/entry is not RE2 syntax: ");
        assertThat(problems.get(1)).startsWith("the regex '(?=a)' for header x of match group/entry is not RE2");
    }

    private HttpMatcher matcher(Optional<PathPattern> path, List<String> methods, HeaderPattern... headers) {
        return HttpMatcher.of(new HttpMatch("group/entry", path, methods, List.of(headers)), problems::add);
    }
}
