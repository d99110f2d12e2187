package dev.tulle.proxy.redirect;

/** Which part of the kernel the tools talk to. */
enum Flavour {
    /** nf_tables, which recent distributions have alone. */
    NFT("nft"),
    /** ip_tables, which old kernels have alone. */
    LEGACY("legacy");

    private final String word;

    Flavour(String word) {
        this.word = word;
    }

    /** As it stands in the tools' names. */
    String word() {
        return word;
    }
}
