package dev.tulle.proxy.upstream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.tulle.proxy.http.Fields;
import dev.tulle.proxy.http.RequestHead;
import org.junit.jupiter.api.Test;

class RequestCallTest {
    @Test
    void cookiesThatHttp2SplitAreOneToRules() {
        // Given
        Fields fields = Fields.of("cookie", "a=1", "x", "1", "cookie", "b=2; c=3", "x", "2");
        RequestHead head = new RequestHead("GET", "http", "shop", "/", fields, RequestHead.UNKNOWN, false);
        // When
        RequestCall call = new RequestCall(head, "/");
        // Then
        assertThat(call.values("cookie")).containsExactly("a=1; b=2; c=3");
        assertThat(call.values("x")).containsExactly("1", "2");
        assertThat(call.values("host")).containsExactly("shop");
    }
}
