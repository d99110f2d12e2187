package dev.tulle.proxy.redirect;

/** One of both families of addresses, and how the tools of the system call it. */
enum Family {
    IPV4("IPv4", "iptables", "127.0.0.1/32", "127.0.0.0/8"),
    IPV6("IPv6", "ip6tables", "::1/128", "::1/128");

    private final String title;
    private final String tool;
    private final String loopbackAddress;
    private final String loopbackNetwork;

    Family(String title, String tool, String loopbackAddress, String loopbackNetwork) {
        this.title = title;
        this.tool = tool;
        this.loopbackAddress = loopbackAddress;
        this.loopbackNetwork = loopbackNetwork;
    }

    /** For people. */
    String title() {
        return title;
    }

    /** The tool's name without the flavour and what it does: {@code iptables} of {@code iptables-nft-restore}. */
    String tool() {
        return tool;
    }

    /** The one address that programs use for this machine itself. */
    String loopbackAddress() {
        return loopbackAddress;
    }

    /** All that never leaves this machine. */
    String loopbackNetwork() {
        return loopbackNetwork;
    }
}
