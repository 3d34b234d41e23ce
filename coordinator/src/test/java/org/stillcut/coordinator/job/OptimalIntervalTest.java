package org.stillcut.coordinator.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class OptimalIntervalTest {

    private static double optimum(double cost, double mtbf) {
        return OptimalInterval.of(seconds(cost), Duration.ZERO, seconds(mtbf)).toMillis() / 1000.0;
    }

    private static Duration seconds(double count) {
        return Duration.ofMillis(Math.round(count * 1000));
    }

    /** Time lost for each second of work: checkpoints, and half an interval with its checkpoint at each failure; numerically. */
    private static double loss(double interval, double cost, double mtbf) {
        // Daly's complete model without the time of a restart: M·(e^((τ+δ)/M) − 1)/τ.
        return mtbf * Math.expm1((interval + cost) / mtbf) / interval;
    }

    @ParameterizedTest
    @CsvSource({"5, 3600", "1, 86400", "60, 3600", "300, 3600", "0.5, 100000"})
    void noOtherIntervalLosesNoticeablyLess(double cost, double mtbf) {
        double best = optimum(cost, mtbf);
        for (double factor = 0.1; factor < 10; factor *= 1.05) {
            assertThat(loss(best, cost, mtbf))
                    .as("factor %f", factor)
                    .isLessThanOrEqualTo(loss(best * factor, cost, mtbf) * 1.001);
        }
    }

    @Test
    void smallCostsFollowYoung() {
        assertThat(optimum(0.5, 100_000)).isCloseTo(Math.sqrt(2 * 0.5 * 100_000), within(1.0));
    }

    @Test
    void costAboveTheTimeBetweenFailuresGivesThatTime() {
        assertThat(optimum(300, 100)).isEqualTo(100);
    }

    @Test
    void workBesideTheJobIsBounded() {
        assertThat(OptimalInterval.of(Duration.ofMillis(50), Duration.ofSeconds(30), Duration.ofDays(1)))
                .isEqualTo(Duration.ofMinutes(10));
        assertThat(OptimalInterval.of(Duration.ZERO, Duration.ZERO, Duration.ofDays(1)))
                .isEqualTo(OptimalInterval.SHORTEST);
        assertThat(OptimalInterval.of(Duration.ofSeconds(1), Duration.ZERO, Duration.ZERO))
                .isGreaterThanOrEqualTo(OptimalInterval.SHORTEST)
                .isLessThan(Duration.ofMinutes(1));
    }

    @Test
    void failuresSeenOutweighTheExpectationMoreAndMore() {
        Duration day = Duration.ofDays(1);
        assertThat(OptimalInterval.meanTimeBetweenFailures(Duration.ZERO, Duration.ZERO, 0))
                .isEqualTo(day);
        assertThat(OptimalInterval.meanTimeBetweenFailures(Duration.ofHours(6), Duration.ofHours(6), 0))
                .isEqualTo(Duration.ofHours(12));
        assertThat(OptimalInterval.meanTimeBetweenFailures(day, Duration.ofHours(2), 1))
                .isEqualTo(Duration.ofHours(13));
        assertThat(OptimalInterval.meanTimeBetweenFailures(day, Duration.ofHours(100), 99))
                .isBetween(Duration.ofMinutes(70), Duration.ofMinutes(80));
    }
}
