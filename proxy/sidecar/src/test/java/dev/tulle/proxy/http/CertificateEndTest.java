package dev.tulle.proxy.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.embedded.EmbeddedChannel;
import org.junit.jupiter.api.Test;

/** When a connection begins to end because its certificates do. */
class CertificateEndTest {
    private static final long DRAIN = 30_000;

    @Test
    void leavesTheDrainItsTime() {
        assertThat(CertificateEnd.delayMillis(3_600_000, DRAIN)).isEqualTo(3_570_000);
    }

    @Test
    void isHalfOfWhatIsLeftWhereThatIsShort() {
        assertThat(CertificateEnd.delayMillis(40_000, DRAIN)).isEqualTo(20_000);
        assertThat(CertificateEnd.delayMillis(-5, DRAIN)).isNegative();
    }

    @Test
    void neverComesWithoutCertificates() {
        EmbeddedChannel channel = new EmbeddedChannel();
        assertThat(CertificateEnd.millisLeft(channel.pipeline())).isEqualTo(CertificateEnd.NEVER);
        assertThat(CertificateEnd.drainNanos(channel.pipeline(), DRAIN) - System.nanoTime())
                .isGreaterThan(Long.MAX_VALUE / 4);
        channel.close();
    }
}
