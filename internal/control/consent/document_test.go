package consent

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/retention"
)

var profiles = []string{Mainland, HongKong}

func eachSource(t *testing.T, fn func(t *testing.T, s source, text, profile string)) {
	t.Helper()
	for _, profile := range profiles {
		for _, document := range documentsOf(profile) {
			for _, locale := range Locales {
				s, err := loadText(document, locale, profile)
				if err != nil {
					t.Fatal(err)
				}
				at := time.Date(2026, 11, 1, 0, 0, 0, 0, civil.Zone)
				values := DemoFacts(profile).values(locale, at, at, s.Version)
				if err := nameDocuments(values, locale); err != nil {
					t.Fatal(err)
				}
				text, err := s.canonical(values)
				if err != nil {
					t.Fatal(err)
				}
				fn(t, s, text, profile)
			}
		}
	}
}

func TestLocalesHaveTheSameClauses(t *testing.T) {
	t.Parallel()
	for _, profile := range profiles {
		s := &Service{d: Deps{Facts: DemoFacts(profile)}}
		for _, document := range documentsOf(profile) {
			if _, err := s.candidate(document); err != nil {
				t.Error(err)
			}
		}
	}
}

// The resolutions of the contradictions X-1 ... X-23, and facts of other
// companies that must not be in our texts.
func TestUnlawfulSentencesAreNotThere(t *testing.T) {
	t.Parallel()
	forbidden := []string{
		"继续使用", "第二十四条", "article 24", "不满十四周岁", "依据您的要求", "直接收集", "等渠道", "等信息", "验证您的用户身份后",
		"持续保留", "可能会使用", "{{",
	}
	open := regexp.MustCompile(`[^\s、，]等[，。；、（]`)
	eachSource(t, func(t *testing.T, s source, text, profile string) {
		for _, f := range forbidden {
			if strings.Contains(text, f) {
				t.Errorf("%s.%s for %s contains %q", s.Document, s.Locale, profile, f)
			}
		}
		if found := open.FindString(text); found != "" && s.Locale == "zh-CN" {
			t.Errorf("%s for %s has an open list: %q", s.Document, profile, found)
		}
	})
}

func TestWhatTheLawWantsIsThere(t *testing.T) {
	t.Parallel()
	f := DemoFacts(Mainland)
	want := map[string][]string{
		DocPlatform: {"SUP-1", "SUP-2", "SUP-3", "SUP-4", "SUP-5", "SUP-6", "SUP-7", "SUP-8", "LT-0c", "LT-1.1a", "LT-1.1b", "LT-1.1e", "LT-1.3", "LT-2.2", "LT-3f", "LT-4.6", "LT-5.1", "LT-6", "LT-7b", "LT-8b"},
		DocClient:   {"SUP-5", "SUP-6", "SUP-7", "TY-1.2", "TY-3.1a", "TY-7.1", "TY-8.1", "TY-9.2", "TY-F"},
	}
	eachSource(t, func(t *testing.T, s source, text, profile string) {
		for _, clause := range want[s.Document] {
			if !slices.Contains(s.clauses(), clause) {
				t.Errorf("%s.%s for %s lacks clause %s", s.Document, s.Locale, profile, clause)
			}
		}
		if s.Document == DocPlatform || s.Document == DocClient {
			for _, fact := range []string{f.Operator.LegalName, f.Operator.DPO, f.Operator.Complaint, f.Operator.PrivacyMail} {
				if !strings.Contains(text, fact) {
					t.Errorf("%s.%s for %s does not name %q", s.Document, s.Locale, profile, fact)
				}
			}
			if !strings.Contains(text, "**") {
				t.Errorf("%s.%s has no bold text", s.Document, s.Locale)
			}
		}
	})
}

// Terms, agreement and SLA import the policy and cannot widen it.
// The table of retention is made of the classes that the nightly run goes by:
// nothing is kept under a rule that is not printed (SUP-2).
func TestTheRetentionTableIsTheRunsOwn(t *testing.T) {
	t.Parallel()
	seen := 0
	eachSource(t, func(t *testing.T, s source, text, profile string) {
		if s.Document != "platform" {
			return
		}
		for _, c := range retention.Classes() {
			kept := c.Kept[s.Locale]
			if profile == HongKong && c.KeptHongKong != nil {
				kept = c.KeptHongKong[s.Locale]
			}
			if c.Data == nil {
				continue
			}
			seen++
			if !strings.Contains(text, c.Data[s.Locale]) || !strings.Contains(text, kept) {
				t.Errorf("%s %s: class %s is not in the table", profile, s.Locale, c.ID)
			}
		}
	})
	if seen < 32 {
		t.Errorf("%d rows looked at", seen)
	}
}

func TestImportingDocumentsWidenNothing(t *testing.T) {
	t.Parallel()
	for _, profile := range profiles {
		for _, locale := range Locales {
			platform, err := loadSource(DocPlatform, locale, profile)
			if err != nil {
				t.Fatal(err)
			}
			for _, document := range []string{DocClient, DocTerms, DocAgreement, DocSLA} {
				s, err := loadSource(document, locale, profile)
				if err != nil {
					t.Fatal(err)
				}
				if err := s.widensNothing(platform); err != nil {
					t.Error(err)
				}
				for name, worse := range map[string]head{
					"imports nothing": {Document: document}, "collects more": {Imports: s.Imports, Collects: []string{"dna"}},
					"does more": {Imports: s.Imports, Purposes: []string{"advertising"}},
				} {
					if err := (source{head: worse}).widensNothing(platform); err == nil {
						t.Errorf("%s: a document that %s is taken", document, name)
					}
				}
				if document != DocClient && len(s.Collects)+len(s.Purposes) > 0 {
					t.Errorf("%s declares processing of its own", document)
				}
			}
		}
	}
}

func TestPurposesOfTheRegistryAreDeclared(t *testing.T) {
	t.Parallel()
	for _, p := range registry() {
		s, err := loadSource(p.Document, "zh-CN", Mainland)
		if err != nil {
			t.Fatal(err)
		}
		if !p.Act && !slices.Contains(s.Purposes, p.ID) {
			t.Errorf("purpose %s is not declared by %s", p.ID, p.Document)
		}
		if p.Act && (p.Chinese == "" || p.English == "" || p.Kind == "") {
			t.Errorf("purpose %s has no notice or kind", p.ID)
		}
		if p.Act && p.Kind != Plain && p.Signup && p.Profile == "" {
			t.Errorf("purpose %s bundles a separate consent with registration", p.ID)
		}
	}
}

func TestAHoleIsNeverPublished(t *testing.T) {
	t.Parallel()
	for _, key := range []string{"legal", "dpo", "complaint", "mail"} {
		f := DemoFacts(Mainland)
		switch key {
		case "legal":
			f.Operator.LegalName = ""
		case "dpo":
			f.Operator.DPO = " "
		case "complaint":
			f.Operator.Complaint = ""
		case "mail":
			f.Operator.PrivacyMail = ""
		}
		if err := f.validate(); err == nil {
			t.Errorf("facts without %s are accepted", key)
		}
	}
	abroad := DemoFacts(HongKong)
	if err := abroad.validate(); err != nil {
		t.Errorf("complete facts are refused: %v", err)
	}
	abroad.Operator.Representative = ""
	if err := abroad.validate(); err == nil {
		t.Error("a handler abroad without a representative is accepted (PIPL 53)")
	}
	if _, err := fill("{{brand}} {{nothing}}", map[string]string{"brand": "x"}); err == nil {
		t.Error("an unknown marker is filled")
	}
}

func TestHTMLIsSafeAndKeepsBoldAndAnchors(t *testing.T) {
	t.Parallel()
	got, err := toHTML("# 标题\n\n[LT-1.1a] **粗体** <script>alert(1)</script> [x](javascript:alert(1))\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n[LT-2.1 LT-2.2] 次\n\n[LT-1.1a] 又\n")
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`<section class="clause" id="LT-1.1a">`, "<strong>粗体</strong>", "<td>1</td>", `id="LT-2.1"`, `id="LT-1.1a-2"`, "<h1>标题</h1>"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in %s", want, got)
		}
	}
	for _, bad := range []string{"<script", "javascript:"} {
		if strings.Contains(got, bad) {
			t.Errorf("%s in %s", bad, got)
		}
	}
	if strings.Count(got, "<section") != strings.Count(got, "</section>") {
		t.Errorf("sections do not match in %s", got)
	}
}

func TestRecipientsArePrintedWithWordsAndIdentifiers(t *testing.T) {
	t.Parallel()
	f := DemoFacts(Mainland)
	f.Recipients = []Recipient{{Name: "Example | Ltd", Contact: "x@example.org", Role: "processor", Region: "CN-mainland", Purpose: "verify, security", Fields: []string{"email", "message"}}}
	for locale, want := range map[string]string{
		"zh-CN": "| Example ／ Ltd | x@example.org | 受托人 (processor) | 中国大陆 (CN-mainland) | 邮箱验证 (verify), 安全通知 (security) | 邮箱地址 (email), 邮件内容 (message) |",
		"en":    "| Example ／ Ltd | x@example.org | processor | mainland China (CN-mainland) | verification of the address (verify), security notices (security) | e-mail address (email), the mail (message) |",
	} {
		if got := f.recipientTable(locale); !strings.Contains(got, want) {
			t.Errorf("%s: got %s", locale, got)
		}
	}
}

func TestNumbersOrder(t *testing.T) {
	t.Parallel()
	ordered := []string{"1.0.0", "1.0.1", "1.2.0", "1.10.0", "2.0.0"}
	for i := 1; i < len(ordered); i++ {
		a, err := parseNumber(ordered[i-1])
		if err != nil {
			t.Fatal(err)
		}
		b, err := parseNumber(ordered[i])
		if err != nil {
			t.Fatal(err)
		}
		if a.rank() >= b.rank() {
			t.Errorf("%s does not come before %s", a, b)
		}
	}
	for _, bad := range []string{"", "1.0", "1.0.x", "1.0.-1", "1.0.10000", "1.0.0.0"} {
		if _, err := parseNumber(bad); err == nil {
			t.Errorf("%q is a version", bad)
		}
	}
}

func FuzzParseSource(f *testing.F) {
	f.Add("---\ndocument: platform\n---\n# h\n\n[LT-1] x\n")
	f.Add("---\n---\n[A-1 @mainland] a")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := parseSource([]byte(text), Mainland)
		if err != nil {
			return
		}
		for _, b := range s.Blocks {
			if b.Heading == 0 && len(b.IDs) == 0 {
				t.Errorf("a clause without id in %q", text)
			}
		}
	})
}
