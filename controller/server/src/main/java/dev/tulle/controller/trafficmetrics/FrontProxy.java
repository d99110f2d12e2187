package dev.tulle.controller.trafficmetrics;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import javax.naming.InvalidNameException;
import javax.naming.ldap.LdapName;
import javax.naming.ldap.Rdn;
import javax.net.ssl.TrustManager;
import javax.net.ssl.TrustManagerFactory;
import javax.net.ssl.X509TrustManager;

/**
 * How the API server proves that a request comes from it, and in which headers it says on whose behalf.
 *
 * <p>Source: Kubernetes' "Configure the Aggregation Layer"; the ConfigMap {@code kube-system/extension-apiserver-authentication}.
 */
final class FrontProxy {
    private static final JsonMapper JSON = new JsonMapper();

    private final X509TrustManager authorities;
    private final List<String> names;
    private final List<String> userHeaders;
    private final List<String> groupHeaders;
    private final List<String> uidHeaders;
    private final List<String> extraPrefixes;

    private FrontProxy(X509TrustManager authorities, Map<String, String> data) {
        this.authorities = authorities;
        this.names = texts(data, "requestheader-allowed-names");
        this.userHeaders = texts(data, "requestheader-username-headers");
        this.groupHeaders = texts(data, "requestheader-group-headers");
        this.uidHeaders = texts(data, "requestheader-uid-headers");
        this.extraPrefixes = texts(data, "requestheader-extra-headers-prefix").stream()
                .map(prefix -> prefix.toLowerCase(Locale.ROOT))
                .toList();
    }

    /**
     * Reads the ConfigMap.
     *
     * @throws IllegalArgumentException with a sentence for people when nobody can be known by it
     */
    static FrontProxy of(Map<String, String> data) {
        String pem = data.getOrDefault("requestheader-client-ca-file", "");
        if (pem.isBlank()) {
            throw new IllegalArgumentException(
                    "requestheader-client-ca-file is not there: the API server was started without"
                            + " --requestheader-client-ca-file, so that it does not aggregate");
        }
        try {
            KeyStore anchors = KeyStore.getInstance(KeyStore.getDefaultType());
            anchors.load(null, null);
            int count = 0;
            for (Certificate authority : CertificateFactory.getInstance("X.509")
                    .generateCertificates(new ByteArrayInputStream(pem.getBytes(UTF_8)))) {
                anchors.setCertificateEntry("authority-" + count++, authority);
            }
            TrustManagerFactory factory = TrustManagerFactory.getInstance("PKIX");
            factory.init(anchors);
            for (TrustManager manager : factory.getTrustManagers()) {
                if (manager instanceof X509TrustManager judge && count > 0) {
                    return new FrontProxy(judge, data);
                }
            }
            throw new IllegalArgumentException("requestheader-client-ca-file holds no certificate");
        } catch (GeneralSecurityException | IOException e) {
            throw new IllegalArgumentException("requestheader-client-ca-file cannot be read: " + e.getMessage(), e);
        }
    }

    private static List<String> texts(Map<String, String> data, String key) {
        String list = data.getOrDefault(key, "");
        try {
            return list.isBlank() ? List.of() : JSON.readValue(list, new TypeReference<List<String>>() {});
        } catch (JsonProcessingException e) {
            throw new IllegalArgumentException("%s is no list of texts in JSON: %s".formatted(key, list), e);
        }
    }

    /**
     * Why these certificates are not the API server's.
     *
     * @param chain as shown in the handshake, leaf first; empty when none was
     */
    Optional<String> doubts(List<X509Certificate> chain) {
        if (chain.isEmpty()) {
            return Optional.of("There is no client certificate: ask through the API server.");
        }
        try {
            authorities.checkClientTrusted(
                    chain.toArray(X509Certificate[]::new),
                    chain.getFirst().getPublicKey().getAlgorithm());
        } catch (CertificateException e) {
            return Optional.of(
                    "The client certificate is not of requestheader-client-ca-file: ask through the API server.");
        }
        String name = commonName(chain.getFirst());
        return names.isEmpty() || names.contains(name)
                ? Optional.empty()
                : Optional.of("The client certificate is of '%s', which is not in requestheader-allowed-names."
                        .formatted(name));
    }

    private static String commonName(X509Certificate certificate) {
        try {
            List<Rdn> parts = new LdapName(certificate.getSubjectX500Principal().getName()).getRdns();
            return parts.stream()
                    .filter(part -> part.getType().equalsIgnoreCase("CN"))
                    .map(part -> String.valueOf(part.getValue()))
                    .findFirst()
                    .orElse("");
        } catch (InvalidNameException e) {
            return "";
        }
    }

    /**
     * On whose behalf the API server asks; absent when it does not say.
     *
     * @param headers names in lower case
     */
    Optional<User> user(SortedMap<String, List<String>> headers) {
        Optional<String> name = first(headers, userHeaders);
        return name.map(known -> new User(
                known,
                first(headers, uidHeaders).orElse(""),
                groupHeaders.stream()
                        .flatMap(header -> headers.getOrDefault(header.toLowerCase(Locale.ROOT), List.of()).stream())
                        .toList(),
                extra(headers)));
    }

    private static Optional<String> first(SortedMap<String, List<String>> headers, List<String> names) {
        return names.stream()
                .flatMap(header -> headers.getOrDefault(header.toLowerCase(Locale.ROOT), List.of()).stream())
                .filter(value -> !value.isEmpty())
                .findFirst();
    }

    private SortedMap<String, List<String>> extra(SortedMap<String, List<String>> headers) {
        SortedMap<String, List<String>> extra = new TreeMap<>();
        headers.forEach((header, values) -> extraPrefixes.stream()
                .filter(header::startsWith)
                .findFirst()
                .ifPresent(prefix -> extra.computeIfAbsent(
                                unescaped(header.substring(prefix.length())), key -> new ArrayList<>())
                        .addAll(values)));
        return extra;
    }

    /** Of a percent-encoded key; one that is not well-formed stays as it is. */
    private static String unescaped(String key) {
        byte[] bytes = new byte[key.length()];
        int length = 0;
        for (int i = 0; i < key.length(); i++) {
            if (key.charAt(i) == '%') {
                if (i + 2 >= key.length() || !key.substring(i + 1, i + 3).matches("[0-9a-fA-F]{2}")) {
                    return key;
                }
                bytes[length++] = (byte) Integer.parseInt(key.substring(i + 1, i + 3), 16);
                i += 2;
            } else {
                bytes[length++] = (byte) key.charAt(i);
            }
        }
        return new String(Arrays.copyOf(bytes, length), UTF_8);
    }

    /** Who asks. */
    record User(String name, String uid, List<String> groups, SortedMap<String, List<String>> extra) {
        User {
            groups = List.copyOf(groups);
            extra = new TreeMap<>(extra);
        }
    }
}
