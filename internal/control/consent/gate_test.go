package consent

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/clause"
	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
)

// kept is the registry with every clause enforced that is not planned: what
// remains to object is the text's own.
func kept(t *testing.T) []clause.Clause {
	t.Helper()
	all, err := clause.Load()
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range all {
		if c.State() == clause.Open {
			all[i].EnforcedBy, all[i].Tests = []string{"x"}, []string{"x"}
		}
	}
	return all
}

// The texts of this build have nothing against them but clauses that are open,
// and the registry has their words.
func TestTheTextsOfThisBuildMayBePublished(t *testing.T) {
	t.Parallel()
	for _, profile := range profiles {
		s := &Service{d: Deps{Facts: DemoFacts(profile), Clauses: kept(t)}}
		problems, err := s.Objections(time.Date(2026, 11, 28, 0, 0, 0, 0, time.UTC))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range problems {
			t.Errorf("%s: %s", profile, p)
		}
	}
}

// objected is what the gate says to a text that a test altered after rendering.
func objected(t *testing.T, document, locale string, alter func(text string) string) string {
	t.Helper()
	s := &Service{d: Deps{Facts: DemoFacts(Mainland), Clauses: kept(t)}}
	c, err := s.candidate(document)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 1, 0, 0, 0, 0, civil.Zone)
	p := publication{number: number{1, 0, 0}, now: at, effective: at.Add(NoticePeriod)}
	all, err := c.render(s.d.Facts, "1.0.0", p.now, p.effective)
	if err != nil {
		t.Fatal(err)
	}
	text := all[locale]
	if text.body = alter(text.body); text.body == all[locale].body {
		t.Fatal("nothing was altered")
	}
	all[locale] = text
	problems, err := s.objections(c, all, p)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(problems)
}

func replaced(old, fresh string) func(string) string {
	return func(text string) string { return strings.ReplaceAll(text, old, fresh) }
}

func refuses(t *testing.T, what, got, want string) {
	t.Helper()
	if !strings.Contains(got, want) {
		t.Errorf("%s: got %s, want %q", what, got, want)
	}
}

// TestTheDaysOfATextAreItsRecords holds LT-0a and TY-F.
func TestTheDaysOfATextAreItsRecords(t *testing.T) {
	t.Parallel()
	for _, document := range []string{DocPlatform, DocClient} {
		refuses(t, "a stale day at the top", objected(t, document, "zh-CN", replaced("2026 年 11 月 1 日", "2025 年 7 月 19 日")), "2025 年 7 月 19 日")
		refuses(t, "another day at the end", objected(t, document, "en", func(s string) string { return s + "\nAs of 18 July 2025.\n" }), "18 July 2025")
		refuses(t, "no day", objected(t, document, "en", replaced("1 November 2026", "lately")), "number and the days")
	}
}

// TestAnotherCompanysNameIsNotPublished holds TY-1.1.
func TestAnotherCompanysNameIsNotPublished(t *testing.T) {
	t.Parallel()
	refuses(t, "the product of another", objected(t, DocClient, "zh-CN", replaced("示例云", "智能视图")), "智能视图, which is another company's")
	refuses(t, "an agreement by another name", objected(t, DocClient, "zh-CN", replaced("VPN 产品服务协议》", "视图服务协议》")), "not the title of one of ours")
}

// TestASupersededArticleIsNotPublished holds LT-1.1c.
func TestASupersededArticleIsNotPublished(t *testing.T) {
	t.Parallel()
	refuses(t, "in Chinese", objected(t, DocPlatform, "zh-CN", replaced("第二十六条", "第二十四条")), "CSL 24, which is not in force on 2026-11-01: name CSL 26 instead")
	refuses(t, "in English", objected(t, DocPlatform, "en", replaced("article 26", "article 24")), "CSL 24, which is not in force")
	refuses(t, "an unknown article", objected(t, DocPlatform, "en", replaced("article 26", "article 99")), "CSL 99, which the registry does not have")
}

// TestOneListOfRecipients holds TY-4.1b: no text has a list of its own.
func TestOneListOfRecipients(t *testing.T) {
	t.Parallel()
	refuses(t, "another list", objected(t, DocPlatform, "zh-CN", replaced("目前没有接收方。", "合作伙伴。")), "SUP-3 does not print the recipients")
	for _, locale := range Locales {
		s, err := loadText(DocClient, locale, Mainland)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range s.Blocks {
			if strings.Contains(b.Text, "{{recipients}}") {
				t.Errorf("the client's text has a list of its own")
			}
		}
	}
}

// TestLimitsOfSecurityLessenNoDuty holds TY-5.1f.
func TestLimitsOfSecurityLessenNoDuty(t *testing.T) {
	t.Parallel()
	refuses(t, "in Chinese", objected(t, DocClient, "zh-CN", replaced("，但这不减轻我们的责任", "")), "TY-5.1f says that security has limits")
	refuses(t, "in English", objected(t, DocPlatform, "en", replaced("; that does not lessen our responsibility", "")), "TY-5.1f says that security has limits")
}

// TestEachPrincipleIsCarriedOut holds LT-0b.
func TestEachPrincipleIsCarriedOut(t *testing.T) {
	t.Parallel()
	all := kept(t)
	if got := principled(all); len(principles) != 7 || len(got) > 0 {
		t.Errorf("%d principles; got %v", len(principles), got)
	}
	for _, p := range principles {
		without := append([]clause.Clause{}, all...)
		for i, c := range without {
			if c.ID == p.clauses[0] {
				without[i].EnforcedBy = nil
			}
		}
		refuses(t, p.name, fmt.Sprint(principled(without)), "names "+p.name)
	}
}

func TestWhatTheRegistryDoesNotHaveIsDrift(t *testing.T) {
	t.Parallel()
	all := kept(t)
	for i := range all {
		if all[i].ID == "LT-1.2" {
			all[i].Quotes[0].SHA256 = strings.Repeat("0", 64)
		}
	}
	got, err := drifted(all, DocPlatform)
	if err != nil || len(got) != 2 || got[0].Clause != "LT-1.2" || got[1].Clause != "LT-1.2" || got[0].Promise {
		t.Errorf("got %v, %v, want the words of the text and those of the registry", got, err)
	}
	refuses(t, "a missing supplement", fmt.Sprint(required(DocClient, []string{"SUP-5", "SUP-6"})), "SUP-7 is wanted by law")
}

// A paragraph of planned features only is not published, nor a heading over
// nothing; one that is half planned is, and objected to.
func TestWhatIsPlannedIsNotPromised(t *testing.T) {
	t.Parallel()
	all := []clause.Clause{{ID: "A", Planned: "x"}, {ID: "B", EnforcedBy: []string{"x"}, Tests: []string{"x"}}}
	blocks := []block{{Heading: 1, Text: "t"}, {Heading: 2, Text: "1"}, {IDs: []string{"A"}}, {Heading: 2, Text: "2"}, {IDs: []string{"A", "B"}}, {Heading: 2, Text: "3"}, {IDs: []string{"A"}}}
	var got []string
	for _, b := range withoutPlanned(blocks, all) {
		got = append(got, b.Text+strings.Join(b.IDs, "+"))
	}
	if strings.Join(got, " ") != "t 2 A+B" {
		t.Errorf("got %q", got)
	}
	refuses(t, "half planned", fmt.Sprint(clause.Lint(all, []string{"A", "B"}, time.Now())), `A is promised already and comes with "x" only`)
}
