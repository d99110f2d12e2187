package dev.tulle.proxy.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class JoinTokenTest {
    private static final byte[] SIGNATURE = {1, 2, (byte) 0xff, (byte) 0xfb};

    @Test
    void readsBackTheTokenItMade() throws MalformedMessage {
        String signed = JoinToken.textToSign(Samples.JOIN);
        JoinToken token = JoinToken.parse(JoinToken.line(signed, SIGNATURE) + "\n");
        assertThat(token.payload()).isEqualTo(Samples.JOIN);
        assertThat(token.signedText()).isEqualTo(signed);
        assertThat(token.signatureBytes()).isEqualTo(SIGNATURE);
    }

    @Test
    void isOneLineOfThreePartsInBase64UrlWithoutPadding() {
        String line = JoinToken.line(JoinToken.textToSign(Samples.JOIN), SIGNATURE);
        assertThat(line).matches("tulle1\\.[A-Za-z0-9_-]+\\.AQL_-w");
    }

    @Test
    void saysWorkloadTimeAndTrustInItsPayload() {
        String payload = JoinToken.textToSign(Samples.JOIN).substring("tulle1.".length());
        assertThat(new String(Base64.getUrlDecoder().decode(payload), StandardCharsets.UTF_8))
                .startsWith(
                        "{\"workload\":\"shop/reviews-v2-1\",\"exp\":1700003600,\"trust\":{\"trustDomain\":\"cluster.local\",");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "tulle1.",
                "tulle1..",
                "tulle1.e30",
                "tulle1.e30.",
                "tulle2.e30.AA",
                "tulle1.e30.AA",
                "tulle1.!.AA",
                "tulle1.e30.!",
                "tulle1.e30.AA.AA",
                "tulle1.W10.AA"
            })
    void refusesWhatIsNoToken(String line) {
        assertThatThrownBy(() -> JoinToken.parse(line)).isInstanceOf(MalformedMessage.class);
    }

    @Test
    void refusesATokenOfUnreasonableLength() {
        assertThatThrownBy(() -> JoinToken.parse("tulle1." + "A".repeat(JoinToken.MAX_LENGTH) + ".AA"))
                .isInstanceOf(MalformedMessage.class)
                .hasMessageContaining("at most");
    }
}
