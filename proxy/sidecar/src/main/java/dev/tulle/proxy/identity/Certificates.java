package dev.tulle.proxy.identity;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import org.bouncycastle.asn1.x509.AuthorityKeyIdentifier;
import org.bouncycastle.cert.jcajce.JcaX509ExtensionUtils;

/** Certificates as PEM text and as objects. */
public final class Certificates {
    private static final String AUTHORITY_KEY_IDENTIFIER = "2.5.29.35";

    private Certificates() {}

    /**
     * Reads every certificate of a PEM text, in its order.
     *
     * @throws IllegalArgumentException if there is none or one cannot be read; names the one
     */
    public static List<X509Certificate> parse(String pem) {
        List<X509Certificate> found = new ArrayList<>();
        for (String block : Pem.blocks(pem, "CERTIFICATE")) {
            try {
                found.add((X509Certificate) CertificateFactory.getInstance("X.509")
                        .generateCertificate(
                                new ByteArrayInputStream(Base64.getMimeDecoder().decode(block))));
            } catch (CertificateException | IllegalArgumentException e) {
                throw new IllegalArgumentException(
                        "certificate %d of the PEM text cannot be read: %s".formatted(found.size() + 1, e.getMessage()),
                        e);
            }
        }
        if (found.isEmpty()) {
            throw new IllegalArgumentException("there is no certificate in the PEM text");
        }
        return List.copyOf(found);
    }

    /** The same certificate as the JDK's own kind, strictly parsed; throws CertificateException if it cannot be read. */
    static X509Certificate strict(X509Certificate certificate) throws CertificateException {
        return (X509Certificate) CertificateFactory.getInstance("X.509")
                .generateCertificate(new ByteArrayInputStream(certificate.getEncoded()));
    }

    /** PEM text of certificates, in their order. */
    public static String pem(List<X509Certificate> certificates) {
        StringBuilder text = new StringBuilder();
        for (X509Certificate certificate : certificates) {
            try {
                text.append(Pem.block("CERTIFICATE", certificate.getEncoded()));
            } catch (CertificateException e) {
                throw new IllegalArgumentException("a certificate has no encoding", e);
            }
        }
        return text.toString();
    }

    /** Lower-case hex of the authority key identifier; empty when there is none or it cannot be read. */
    public static String authorityKeyId(X509Certificate certificate) {
        byte[] extension = certificate.getExtensionValue(AUTHORITY_KEY_IDENTIFIER);
        if (extension == null) {
            return "";
        }
        try {
            byte[] id = AuthorityKeyIdentifier.getInstance(JcaX509ExtensionUtils.parseExtensionValue(extension))
                    .getKeyIdentifierOctets();
            return id == null ? "" : HexFormat.of().formatHex(id);
        } catch (IOException | IllegalArgumentException e) {
            return "";
        }
    }
}
