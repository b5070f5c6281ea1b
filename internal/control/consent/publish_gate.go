package consent

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/clause"
	"github.com/skybridge-cloud/skybridge/internal/platform/errs"
	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
)

// admissible is the publish gate: nil if nothing stands against a text. A text
// that the program does not keep whole is refused to staff; at the first start of
// a build it is told in the log, because refusing it would leave the old text in
// force, which is kept no better.
func (s *Service) admissible(ctx context.Context, c candidate, all map[string]rendered, p publication) error {
	problems, err := s.against(ctx, c, all, p)
	if err != nil {
		return err
	}
	if p.by == "system" {
		problems = slices.DeleteFunc(problems, func(p clause.Problem) bool {
			if p.Promise {
				s.d.Log.WarnContext(ctx, "a text promises what is not kept", "document", c.head.Document, "clause", p.Clause)
			}
			return p.Promise
		})
	}
	if len(problems) == 0 {
		return nil
	}
	var said []string
	for _, p := range problems {
		said = append(said, p.String())
	}
	return errs.New(errs.Unprocessable, "consent.text_refused").With("document", c.head.Document).With("problems", strings.Join(said, "; "))
}

// against is all that stands against a publication.
func (s *Service) against(ctx context.Context, c candidate, all map[string]rendered, p publication) ([]clause.Problem, error) {
	problems, err := s.objections(c, all, p)
	if err == nil && p.by != "system" { // at the first start no adapter was seen working yet
		problems = append(problems, s.unanswered(ctx, c)...)
	}
	return problems, err
}

// objections are all that stands against a text on its days.
func (s *Service) objections(c candidate, all map[string]rendered, p publication) (problems []clause.Problem, err error) {
	days := []time.Time{p.now, p.effective}
	if c.head.Document == DocPlatform || c.head.Document == DocClient {
		promised := c.sources[Locales[0]].clauses()
		for _, day := range days {
			problems = append(problems, clause.Lint(s.d.Clauses, promised, day)...)
		}
		problems = append(problems, required(c.head.Document, promised)...)
		if c.head.Document == DocPlatform {
			problems = append(problems, principled(s.d.Clauses)...)
		}
		drift, err := drifted(s.d.Clauses, c.head.Document)
		if err != nil {
			return nil, err
		}
		problems = append(problems, drift...)
	}
	titles, err := s.titles()
	if err != nil {
		return nil, err
	}
	for _, locale := range Locales {
		text := all[locale].title + "\n\n" + all[locale].body
		for _, day := range days {
			if !mutant.Off("LT-1.1c") {
				problems = append(problems, clause.Cited(s.d.Clauses, text, day)...)
			}
		}
		problems = append(problems, dated(text, locale, p)...)
		problems = append(problems, named(text, titles, s.d.Facts.Operator.Brand)...)
		problems = append(problems, lessens(text)...)
		if c.head.Document == DocPlatform && !mutant.Off("TY-4.1b") && !strings.Contains(text, s.d.Facts.recipientTable(locale)) {
			problems = append(problems, clause.Problem{Clause: "SUP-3", What: "does not print the recipients that the door knows"})
		}
	}
	slices.SortStableFunc(problems, func(a, b clause.Problem) int { return strings.Compare(a.String(), b.String()) })
	return slices.Compact(problems), nil
}

// Objections says what stands against publishing each document of the build on a
// day, with the facts of the operator.
func (s *Service) Objections(day time.Time) ([]clause.Problem, error) {
	var all []clause.Problem
	for _, document := range append(slices.Clone(documentNames), DocChildren) {
		c, err := s.candidate(document)
		if err != nil {
			return nil, err
		}
		n, err := parseNumber(c.head.Version)
		if err != nil {
			return nil, err
		}
		p := publication{number: n, now: day, effective: day.Add(NoticePeriod)}
		texts, err := c.render(s.d.Facts, n.String(), p.now, p.effective)
		if err != nil {
			return nil, err
		}
		found, err := s.objections(c, texts, p)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	return all, nil
}

// Lint is Objections for the texts of a profile with facts of an invented
// operator, for a machine that has no installation.
func Lint(profile string, day time.Time) ([]clause.Problem, error) {
	if profile != Mainland && profile != HongKong {
		return nil, fmt.Errorf("there is no profile %q: choose %s or %s", profile, Mainland, HongKong)
	}
	all, err := clause.Load()
	if err != nil {
		return nil, err
	}
	s := &Service{d: Deps{Facts: DemoFacts(profile), Clauses: all}}
	return s.Objections(day)
}

// supplements are what the law adds, by the document that has to say it.
var supplements = map[string][]string{
	DocPlatform: {"SUP-1", "SUP-2", "SUP-3", "SUP-4", "SUP-5", "SUP-6", "SUP-7", "SUP-8"},
	DocClient:   {"SUP-5", "SUP-6", "SUP-7"},
}

func required(document string, promised []string) (problems []clause.Problem) {
	for _, id := range supplements[document] {
		if !slices.Contains(promised, id) {
			problems = append(problems, clause.Problem{Clause: id, What: "is wanted by law and not in the document " + document})
		}
	}
	return problems
}

// principles are the seven of clause LT-0b and what carries each out.
var principles = []struct {
	name    string
	clauses []string
}{
	{"权责一致", []string{"SUP-1", "LT-3.0b"}},
	{"目的明确", []string{"LT-1.1a", "LT-3.0"}},
	{"选择同意", []string{"LT-0c", "LT-4.6"}},
	{"最少够用", []string{"LT-1.1a", "LT-1.3", "LT-5.3b"}},
	{"确保安全", []string{"TY-5.1b"}},
	{"主体参与", []string{"LT-8b", "TY-9.2"}},
	{"公开透明", []string{"SUP-2", "SUP-3", "LT-0d"}},
}

func principled(all []clause.Clause) (problems []clause.Problem) {
	if mutant.Off("LT-0b") {
		return nil
	}
	for _, p := range principles {
		for _, id := range p.clauses {
			if !slices.ContainsFunc(all, func(c clause.Clause) bool { return c.ID == id && c.State() == clause.Enforced }) {
				problems = append(problems, clause.Problem{Clause: "LT-0b", What: "names " + p.name + ", which needs " + id, Promise: true})
			}
		}
	}
	return problems
}

// drifted compares the files of a document with the registry's quotes.
func drifted(all []clause.Clause, document string) ([]clause.Problem, error) {
	spans, err := spansOf(document)
	if err != nil {
		return nil, err
	}
	var at []string
	for _, locale := range Locales {
		at = append(at, document+"."+locale)
	}
	return clause.Drift(all, spans, at...), nil
}

// Spans are the paragraphs of both privacy policies in all languages and for all
// profiles, those of planned features too.
func Spans() (all []clause.Span, err error) {
	for _, document := range []string{DocPlatform, DocClient} {
		spans, err := spansOf(document)
		if err != nil {
			return nil, err
		}
		all = append(all, spans...)
	}
	return all, nil
}

func spansOf(document string) (all []clause.Span, err error) {
	for _, locale := range Locales {
		s, err := loadSource(document, locale, anyProfile)
		if err != nil {
			return nil, err
		}
		for _, b := range s.Blocks {
			at := document + "." + locale
			if b.Profile != "" {
				at += "@" + b.Profile
			}
			if b.Heading == 0 {
				all = append(all, clause.Span{At: at, IDs: b.IDs, Words: b.Text})
			}
		}
	}
	return all, nil
}

var anyDate = regexp.MustCompile(`\d{4} ?年 ?\d{1,2} ?月 ?\d{1,2} ?日|\d{4}-\d{2}-\d{2}|\d{1,2} [A-Z][a-z]+ \d{4}`)

// dated holds the dates of a text to its record: at its top stand the day of the
// version and the day from which it holds, and no other day stands anywhere.
func dated(text, locale string, p publication) (problems []clause.Problem) {
	if mutant.Off("LT-0a", "TY-F") {
		return nil
	}
	updated, effective := date(p.now, locale), date(p.effective, locale)
	top, _, _ := strings.Cut(text, "\n\n## ")
	if !strings.Contains(top, updated) || !strings.Contains(top, effective) || !strings.Contains(top, p.number.String()) {
		problems = append(problems, clause.Problem{What: "the top of the text does not have the number and the days of the version"})
	}
	for _, found := range anyDate.FindAllString(text, -1) {
		if found != updated && found != effective {
			problems = append(problems, clause.Problem{What: "the text has the day " + found + ", which is not the version's"})
		}
	}
	return problems
}

// foreign are names and numbers of the companies whose policies the clauses come
// from. They are facts of others unless the operator is that company.
var foreign = []string{"智能视图", "智能制图", "天翼云", "蓝天云", "chinatelecom", "ctyun", "CooPay", "Lantian", "910767130", "400-810-9889", "4008109889"}

var (
	quotedTitle = regexp.MustCompile(`《([^》]+)》`)
	lawTitle    = regexp.MustCompile(`^中华人民共和国.+(法|条例)$`)
)

// named holds the names in a text to the records: another text is named by its
// title, and no product or number of another company stands there.
func named(text string, titles []string, brand string) (problems []clause.Problem) {
	if mutant.Off("TY-1.1") {
		return nil
	}
	for _, f := range foreign {
		if strings.Contains(text, f) && !strings.Contains(brand, f) {
			problems = append(problems, clause.Problem{What: "the text names " + f + ", which is another company's"})
		}
	}
	for _, m := range quotedTitle.FindAllStringSubmatch(text, -1) {
		if !lawTitle.MatchString(m[1]) && !slices.Contains(titles, m[1]) {
			problems = append(problems, clause.Problem{What: "the text names 《" + m[1] + "》, which is not the title of one of ours"})
		}
	}
	return problems
}

// limits are how a text says that security has limits, and what has to follow in
// the same paragraph: it lessens no duty (PIPL 69).
var limits = regexp.MustCompile(`百分之百|绝对安全|hundred per cent|is perfect`)

func lessens(text string) (problems []clause.Problem) {
	for _, paragraph := range strings.Split(text, "\n\n") {
		if limits.MatchString(paragraph) && !strings.Contains(paragraph, "不减轻我们的责任") && !strings.Contains(paragraph, "does not lessen our responsibility") && !mutant.Off("TY-5.1f") {
			problems = append(problems, clause.Problem{Clause: "TY-5.1f", What: "says that security has limits and not that this lessens no duty"})
		}
	}
	return problems
}

// titles are the names of our documents, in all languages.
func (s *Service) titles() (all []string, err error) {
	for _, locale := range Locales {
		values := s.d.Facts.values(locale, time.Time{}, time.Time{}, "")
		if err := nameDocuments(values, locale); err != nil {
			return nil, err
		}
		for _, document := range append(slices.Clone(documentNames), DocChildren) {
			all = append(all, values["title_"+document])
		}
	}
	return all, nil
}

// nameDocuments adds the title of each document to the values of markers, so
// that a text names another one by the other's own title.
func nameDocuments(values map[string]string, locale string) error {
	for _, document := range append(slices.Clone(documentNames), DocChildren) {
		s, err := loadSource(document, locale, anyProfile)
		if err != nil {
			return err
		}
		if values["title_"+document], err = fill(s.Title, values); err != nil {
			return err
		}
	}
	return nil
}
