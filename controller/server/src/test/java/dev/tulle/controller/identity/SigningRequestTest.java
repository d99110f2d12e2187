package dev.tulle.controller.identity;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.security.KeyPair;
import java.security.KeyPairGenerator;
import org.junit.jupiter.api.Test;

class SigningRequestTest {
    @Test
    void takesStrongKeys() throws Exception {
        for (KeyPair keys : new KeyPair[] {Authorities.ecKeys(), Authorities.keys("EC", "secp384r1")}) {
            assertThat(SigningRequest.provenKey(Authorities.request(keys)).getEncoded())
                    .isEqualTo(keys.getPublic().getEncoded());
        }
        KeyPair rsa = rsa(2048);
        assertThat(SigningRequest.provenKey(Authorities.request(rsa, rsa, "SHA256withRSA")))
                .isEqualTo(rsa.getPublic());
    }

    @Test
    void refusesWeakOrUnknownKeys() throws Exception {
        KeyPair weak = rsa(1024);
        KeyPair edwards = KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
        assertRefused(Authorities.request(weak, weak, "SHA256withRSA"), "RSA of 2048");
        assertRefused(Authorities.request(edwards, edwards, "Ed25519"), "P-256");
    }

    @Test
    void refusesAKeyThatTheAskerDoesNotHold() {
        assertRefused(
                Authorities.request(Authorities.ecKeys(), Authorities.ecKeys(), "SHA256withECDSA"),
                "signature does not verify");
    }

    @Test
    void refusesWhatIsNoRequest() {
        String good = Authorities.request(Authorities.ecKeys());
        assertRefused("", "not a certificate request");
        assertRefused("hello", "not a certificate request");
        assertRefused(good.replace("CERTIFICATE REQUEST", "CERTIFICATE"), "not a certificate request");
        assertRefused(good.substring(0, 60) + "\n-----END CERTIFICATE REQUEST-----\n", "not a certificate request");
        assertRefused(
                "-----BEGIN CERTIFICATE REQUEST-----\n%%%\n-----END CERTIFICATE REQUEST-----\n",
                "not a certificate request");
        assertRefused("x".repeat(SigningRequest.MAX_CHARACTERS + 1), "longer than");
    }

    private static void assertRefused(String pem, String because) {
        assertThatThrownBy(() -> SigningRequest.provenKey(pem))
                .isInstanceOf(RefusedRequest.class)
                .hasMessageContaining(because);
    }

    private static KeyPair rsa(int bits) throws Exception {
        KeyPairGenerator generator = KeyPairGenerator.getInstance("RSA");
        generator.initialize(bits);
        return generator.generateKeyPair();
    }
}
