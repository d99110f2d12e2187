package dev.tulle.smi.convert;

import com.fasterxml.jackson.databind.JsonNode;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Weights of a TrafficSplit: Kubernetes quantities or plain numbers, brought to whole numbers of one scale.
 *
 * <p>Source: SMI split v1alpha1; Kubernetes {@code resource.Quantity} for the suffixes and for rounding up below a billionth.
 */
public final class Weights {
    /**
     * A non-negative quantity of bounded size, as the CRD of v1alpha1 has it: up to 19 digits before the point, 18 after it, and a suffix or an
     * exponent of up to two digits.
     */
    public static final String QUANTITY =
            "^\\+?([0-9]{1,19}(\\.[0-9]{0,18})?|\\.[0-9]{1,18})([KMGTPE]i|[numkMGTPE]|[eE][+-]?[0-9]{1,2})?$";

    private static final Pattern PARTS = Pattern.compile(QUANTITY);
    private static final int FINEST_DECIMALS = 9;

    private static final Map<String, Integer> DECIMAL_SUFFIXES =
            Map.of("n", -9, "u", -6, "m", -3, "k", 3, "M", 6, "G", 9, "T", 12, "P", 15, "E", 18);
    private static final String BINARY_SUFFIXES = "KMGTPE";

    private Weights() {}

    /** The amount that a quantity or a number stands for; empty if it is neither, or negative. */
    public static Optional<BigDecimal> amount(JsonNode weight) {
        Matcher parts = PARTS.matcher(weight.isTextual() || weight.isNumber() ? weight.asText() : "");
        if (!parts.matches()) {
            return Optional.empty();
        }
        BigDecimal number = new BigDecimal(parts.group(1));
        String suffix = parts.group(3) == null ? "" : parts.group(3);
        if (suffix.isEmpty()) {
            return Optional.of(number);
        }
        if (suffix.endsWith("i")) {
            int power = BINARY_SUFFIXES.indexOf(suffix.charAt(0)) + 1;
            return Optional.of(number.multiply(new BigDecimal(BigInteger.ONE.shiftLeft(10 * power))));
        }
        Integer exponent = DECIMAL_SUFFIXES.get(suffix);
        return Optional.of(
                number.scaleByPowerOfTen(exponent == null ? Integer.parseInt(suffix.substring(1)) : exponent));
    }

    /**
     * The same proportions in whole numbers from 0 to {@code limit}.
     *
     * <p>Whole amounts stay as they are. Otherwise all are multiplied by the first of 10³, 10⁶ and 10⁹ that makes them whole; what is finer
     * than that is rounded up. If one then exceeds {@code limit}, all shrink in proportion. Zero stays zero and everything else stays above.
     */
    public static List<Long> whole(List<BigDecimal> amounts, long limit) {
        int decimals = 0;
        while (decimals < FINEST_DECIMALS && !areWhole(amounts, decimals)) {
            decimals += 3;
        }
        BigInteger most = BigInteger.valueOf(limit);
        List<BigInteger> scaled = new ArrayList<>();
        for (BigDecimal amount : amounts) {
            BigInteger number = amount.scaleByPowerOfTen(decimals)
                    .setScale(0, RoundingMode.CEILING)
                    .toBigInteger();
            scaled.add(number);
            most = most.max(number);
        }
        BigDecimal share = new BigDecimal(most);
        return scaled.stream()
                .map(number -> new BigDecimal(number.multiply(BigInteger.valueOf(limit)))
                        .divide(share, 0, RoundingMode.CEILING))
                .map(BigDecimal::longValueExact)
                .toList();
    }

    private static boolean areWhole(List<BigDecimal> amounts, int decimals) {
        return amounts.stream()
                .allMatch(amount ->
                        amount.scaleByPowerOfTen(decimals).stripTrailingZeros().scale() <= 0);
    }
}
