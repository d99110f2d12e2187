package dev.tulle.proxy.identity;

import dev.tulle.proxy.model.MalformedMessage;
import dev.tulle.proxy.model.ProxyCodec;
import dev.tulle.proxy.model.SpiffeId;
import dev.tulle.proxy.model.ToProxy;
import dev.tulle.proxy.model.TrustBundle;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.Signature;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.Base64;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Keeps key, certificates and trust bundle over a restart: {@code key.pem}, {@code chain.pem}, {@code trust.json}, mode 0600.
 *
 * <p>Each file is written beside its place, forced to disk and renamed. The chain comes last but for the key's name: a crash between
 * the two leaves the new key as {@code key.next.pem}, which {@link #load} then takes. Calls block; one thread.
 */
public final class IdentityDirectory {
    private static final String KEY = "key.pem";
    private static final String NEXT_KEY = "key.next.pem";
    private static final String CHAIN = "chain.pem";
    private static final String TRUST = "trust.json";
    private static final int MAX_BYTES = 1024 * 1024;

    private final Path directory;

    public IdentityDirectory(Path directory) {
        this.directory = directory;
    }

    /** What was found in the directory. */
    public sealed interface Found {
        /** Key and chain fit together. {@code trust} is absent where only the two were put there by hand. */
        record Kept(Svid svid, Optional<TrustBundle> trust) implements Found {}

        /** There is no key and no chain yet. */
        record Nothing() implements Found {}

        /** It cannot be used; {@code problem} names the file. */
        record Damaged(String problem) implements Found {}
    }

    /** A file that cannot be used; never leaves this class. */
    private static final class Unusable extends Exception {
        Unusable(String problem) {
            super(problem);
        }
    }

    /** Reads what is there; never throws for what it contains. */
    public Found load() {
        try {
            Optional<String> chainText = read(CHAIN);
            Optional<String> keyText = read(KEY);
            if (chainText.isEmpty() && keyText.isEmpty()) {
                return new Found.Nothing();
            }
            List<X509Certificate> chain = chain(chainText.orElseThrow(() -> missing(CHAIN)));
            Optional<PrivateKey> key = keyText.isPresent() ? fitting(KEY, keyText.get(), chain) : Optional.empty();
            if (key.isEmpty()) {
                Optional<String> next = read(NEXT_KEY);
                key = next.isPresent() ? fitting(NEXT_KEY, next.get(), chain) : Optional.empty();
            }
            SpiffeId identity = PeerIdentity.ofLeaf(chain.getFirst())
                    .orElseThrow(
                            () -> new Unusable("%s: its first certificate has not exactly one SPIFFE ID of our form"
                                    .formatted(directory.resolve(CHAIN))));
            PrivateKey found = key.orElseThrow(() ->
                    new Unusable("%s is missing or is not the key of chain.pem".formatted(directory.resolve(KEY))));
            return new Found.Kept(new Svid(found, chain, identity), trust());
        } catch (Unusable e) {
            return new Found.Damaged(String.valueOf(e.getMessage()));
        }
    }

    /**
     * Writes all three files.
     *
     * @throws IOException if the directory is full or cannot be written; what was there can still be loaded
     */
    public void save(Svid svid, TrustBundle trust) throws IOException {
        Files.createDirectories(directory, permissions("rwx------"));
        write(NEXT_KEY, Pem.block("PRIVATE KEY", svid.key().getEncoded()));
        saveTrust(trust);
        write(CHAIN, Certificates.pem(svid.chain()));
        Files.move(directory.resolve(NEXT_KEY), directory.resolve(KEY), StandardCopyOption.ATOMIC_MOVE);
        force(directory);
    }

    /** Writes the trust bundle alone; throws IOException as {@link #save} does. */
    public void saveTrust(TrustBundle trust) throws IOException {
        write(TRUST, ProxyCodec.encode(new ToProxy.Trust(0, trust)));
    }

    private List<X509Certificate> chain(String text) throws Unusable {
        try {
            return Certificates.parse(text);
        } catch (IllegalArgumentException e) {
            throw new Unusable("%s: %s".formatted(directory.resolve(CHAIN), e.getMessage()));
        }
    }

    private Optional<TrustBundle> trust() throws Unusable {
        Optional<String> text = read(TRUST);
        if (text.isEmpty()) {
            return Optional.empty();
        }
        try {
            if (ProxyCodec.decodeToProxy(text.get().strip()).orElse(null)
                    instanceof ToProxy.Trust(long v, TrustBundle trust)) {
                return Optional.of(trust);
            }
        } catch (MalformedMessage e) {
            throw new Unusable("%s: %s".formatted(directory.resolve(TRUST), e.getMessage()));
        }
        throw new Unusable("%s is not a trust bundle".formatted(directory.resolve(TRUST)));
    }

    /** The key in the text, if it is that of the chain's leaf. */
    private Optional<PrivateKey> fitting(String file, String text, List<X509Certificate> chain) throws Unusable {
        List<String> blocks = blocks(file, text);
        if (blocks.size() != 1) {
            throw new Unusable(
                    "%s has %d PKCS#8 keys ('PRIVATE KEY'), not one".formatted(directory.resolve(file), blocks.size()));
        }
        X509Certificate leaf = chain.getFirst();
        String algorithm = leaf.getPublicKey().getAlgorithm();
        try {
            PrivateKey key = KeyFactory.getInstance(algorithm)
                    .generatePrivate(
                            new PKCS8EncodedKeySpec(Base64.getMimeDecoder().decode(blocks.getFirst())));
            Signature signature = Signature.getInstance("SHA256with" + (algorithm.equals("EC") ? "ECDSA" : algorithm));
            byte[] probe = {1, 2, 3};
            signature.initSign(key);
            signature.update(probe);
            byte[] signed = signature.sign();
            signature.initVerify(leaf);
            signature.update(probe);
            return signature.verify(signed) ? Optional.of(key) : Optional.empty();
        } catch (GeneralSecurityException | IllegalArgumentException e) {
            return Optional.empty();
        }
    }

    private List<String> blocks(String file, String text) throws Unusable {
        try {
            return Pem.blocks(text, "PRIVATE KEY");
        } catch (IllegalArgumentException e) {
            throw new Unusable("%s: %s".formatted(directory.resolve(file), e.getMessage()));
        }
    }

    private Unusable missing(String file) {
        return new Unusable("%s is missing".formatted(directory.resolve(file)));
    }

    private Optional<String> read(String file) throws Unusable {
        Path path = directory.resolve(file);
        try {
            if (Files.size(path) > MAX_BYTES) {
                throw new Unusable("%s is larger than %d bytes".formatted(path, MAX_BYTES));
            }
            return Optional.of(new String(Files.readAllBytes(path), StandardCharsets.UTF_8));
        } catch (NoSuchFileException e) {
            return Optional.empty();
        } catch (IOException e) {
            throw new Unusable("%s cannot be read: %s".formatted(path, e));
        }
    }

    private void write(String file, String text) throws IOException {
        Path place = directory.resolve(file);
        Path beside = directory.resolve(file + ".tmp");
        Files.deleteIfExists(beside);
        Set<StandardOpenOption> options = EnumSet.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        try (FileChannel channel = FileChannel.open(beside, options, permissions("rw-------"))) {
            ByteBuffer bytes = ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8));
            while (bytes.hasRemaining()) {
                channel.write(bytes);
            }
            channel.force(true);
        }
        Files.move(beside, place, StandardCopyOption.ATOMIC_MOVE);
        force(directory);
    }

    /** Makes renames in a directory last. */
    private static void force(Path directory) throws IOException {
        try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
            channel.force(true);
        }
    }

    private static FileAttribute<Set<PosixFilePermission>> permissions(String text) {
        return PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString(text));
    }
}
