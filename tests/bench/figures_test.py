#!/usr/bin/env python3
"""The table speaks the truth about its limits."""
import os
import tempfile
import unittest

import figures
from figures import Figure, Limit


class Verdicts(unittest.TestCase):
    def test_a_limit_on_ours_does_not_look_at_the_peer(self):
        self.assertTrue(Figure("restart", "ms", 2.9, "floor", 0.1, limit=Limit(3)).met())
        self.assertFalse(Figure("restart", "ms", 3.1, "floor", 9, limit=Limit(3)).met())

    def test_a_limit_on_the_ratio_uses_the_median_of_the_rounds(self):
        figure = figures.compared("start", "ms", [(10, 10), (30, 10), (15, 10)], "floor", Limit(2, "ratio"))
        self.assertEqual(figure.ratio, 1.5)
        self.assertTrue(figure.met())
        self.assertFalse(figures.compared("start", "ms", [(21, 10)], "floor", Limit(2, "ratio")).met())

    def test_a_difference_is_ours_minus_theirs(self):
        self.assertTrue(Figure("call", "ns", 4, "virtual", 2, limit=Limit(3, "difference")).met())
        self.assertFalse(Figure("call", "ns", 6, "virtual", 2, limit=Limit(3, "difference")).met())

    def test_more_is_better_where_the_limit_says_so(self):
        self.assertTrue(Figure("events", "1/s", 2e6, limit=Limit(1e6, at_least=True)).met())
        self.assertFalse(Figure("events", "1/s", 9e5, limit=Limit(1e6, at_least=True)).met())

    def test_without_a_limit_there_is_no_verdict(self):
        self.assertIsNone(Figure("events", "1/s", 1).met())

    def test_a_ratio_without_a_peer_is_refused(self):
        with self.assertRaisesRegex(ValueError, "needs a peer's value"):
            Figure("start", "ms", 1, limit=Limit(2, "ratio")).met()


class Files(unittest.TestCase):
    def test_what_was_written_is_read_again(self):
        kept = [Figure("a", "ms", 1.5, "floor", 1, 1.4, Limit(2, "ratio")), Figure("b", "", 3)]
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "figures.json")
            figures.write(path, kept)
            again = figures.read(path)
        self.assertEqual(again[0], kept[0])
        self.assertEqual(again[1].met(), None)


class Table(unittest.TestCase):
    def test_a_missed_limit_stands_in_capitals(self):
        text = figures.table([Figure("restart", "ms", 4, limit=Limit(3)), Figure("start", "ms", 1, limit=Limit(3))])
        self.assertIn("MISSED", text.splitlines()[2])
        self.assertNotIn("MISSED", text.splitlines()[3])

    def test_numbers_are_short_and_never_rounded_to_nothing(self):
        self.assertEqual(figures.amount_text(1234567, "1/s"), "1,234,567 1/s")
        self.assertEqual(figures.amount_text(0.0123, "%"), "0.0123 %")
        self.assertEqual(figures.amount_text(0, ""), "0")


if __name__ == "__main__":
    unittest.main()
