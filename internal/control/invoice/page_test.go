package invoice

import (
	"fmt"
	"strings"
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/platform/money"
)

// TestALongDocumentGoesOnOnTheNextPage: with all its lines, and its sum once.
func TestALongDocumentGoesOnOnTheNextPage(t *testing.T) {
	t.Parallel()
	d := Document{Kind: Invoice, Series: "INV", Year: 2026, Seq: 1, OrderKind: "new", Total: money.New(70_00, money.CNY), Tax: money.New(0, money.CNY)}
	d.Seller.Address = strings.Repeat("很长的地址", 30)
	for i := range 70 {
		d.Lines = append(d.Lines, Line{
			Number: i + 1, Months: 1, Amount: money.New(1_00, money.CNY), Options: map[string]string{"ssl_bandwidth": "5", "new_option": "7"},
			Names: Names{map[string]string{"en": "Gateway", "zh-CN": "网关"}, map[string]string{"en": "Place", "zh-CN": "地方"}},
		})
	}
	raw := string(print(d, "", speaking("en")))
	if n := strings.Count(raw, fmt.Sprintf("<%X>", "SSL bandwidth 5 Mbit/s, new_option 7")); n != 70 {
		t.Errorf("%d lines", n)
	}
	pages := strings.Count(raw, "/Type /Page ")
	if pages < 3 || strings.Count(raw, fmt.Sprintf("<%X>", fmt.Sprintf("Page %d of %[1]d", pages))) != 1 || strings.Count(raw, fmt.Sprintf("<%X>", "70.00 CNY")) != 1 {
		t.Errorf("%d pages", pages)
	}
}

func TestEveryWordIsThereInBothLanguages(t *testing.T) {
	t.Parallel()
	for key, word := range words() {
		for _, l := range languages {
			if word[l] == "" || strings.Count(word[l], "{n}") != strings.Count(word["en"], "{n}") {
				t.Errorf("%s in %s: %q", key, l, word[l])
			}
		}
		if len(word) != len(languages) {
			t.Errorf("%s: %v", key, word)
		}
	}
}

func TestPercentages(t *testing.T) {
	t.Parallel()
	for rate, want := range map[int64]string{6_00: "6%", 13_00: "13%", 6_50: "6.5%", 5: "0.05%", 100_00: "100%", 1_25: "1.25%"} {
		if got := percent(rate); got != want {
			t.Errorf("%d: got %s, want %s", rate, got, want)
		}
	}
}
