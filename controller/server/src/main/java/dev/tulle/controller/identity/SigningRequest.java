package dev.tulle.controller.identity;

import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.security.interfaces.ECPublicKey;
import java.security.interfaces.RSAPublicKey;
import org.bouncycastle.operator.OperatorException;
import org.bouncycastle.operator.jcajce.JcaContentVerifierProviderBuilder;
import org.bouncycastle.pkcs.PKCSException;
import org.bouncycastle.pkcs.jcajce.JcaPKCS10CertificationRequest;

/**
 * A PKCS#10 request of which only the key counts.
 *
 * <p>Whatever names it asks for are ignored: the identity comes from the token or the certificate that came with it.
 */
public final class SigningRequest {
    /** Longest request, characters of PEM. */
    public static final int MAX_CHARACTERS = 16 << 10;

    private static final int MIN_EC_BITS = 256;
    private static final int MIN_RSA_BITS = 2048;
    private static final int MAX_RSA_BITS = 8192;

    private SigningRequest() {}

    /**
     * The key of a request whose sender has proved to hold it.
     *
     * @throws RefusedRequest if it cannot be read, its own signature does not verify, or the key is weaker than EC P-256 or RSA
     *     2048
     */
    public static PublicKey provenKey(String pem) throws RefusedRequest {
        if (pem.length() > MAX_CHARACTERS) {
            throw new RefusedRequest("The certificate request is longer than %d characters.".formatted(MAX_CHARACTERS));
        }
        try {
            var request = new JcaPKCS10CertificationRequest(Pem.der("CERTIFICATE REQUEST", pem));
            PublicKey key = request.getPublicKey();
            requireStrength(key);
            if (!request.isSignatureValid(new JcaContentVerifierProviderBuilder().build(key))) {
                throw new RefusedRequest(
                        "The certificate request's signature does not verify: it was not made with its own key.");
            }
            return key;
        } catch (IOException
                | GeneralSecurityException
                | OperatorException
                | PKCSException
                | IllegalArgumentException
                | IllegalStateException
                | ClassCastException e) {
            throw new RefusedRequest("The body is not a certificate request (PKCS#10 in PEM) that can be read.");
        }
    }

    private static void requireStrength(PublicKey key) throws RefusedRequest {
        boolean strong = switch (key) {
            case ECPublicKey ec -> ec.getParams().getCurve().getField().getFieldSize() >= MIN_EC_BITS;
            case RSAPublicKey rsa ->
                rsa.getModulus().bitLength() >= MIN_RSA_BITS && rsa.getModulus().bitLength() <= MAX_RSA_BITS;
            default -> false;
        };
        if (!strong) {
            throw new RefusedRequest(
                    "The key of the certificate request is not EC P-256 or stronger, nor RSA of %d to %d bits."
                            .formatted(MIN_RSA_BITS, MAX_RSA_BITS));
        }
    }
}
