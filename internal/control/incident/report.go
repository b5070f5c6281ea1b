package incident

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/skybridge-cloud/skybridge/internal/control/account"
	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/db"
)

// ReportKind is which report to the authority it is.
type ReportKind string

// Reports.
const (
	First    ReportKind = "first"   // within four hours, or one
	Further  ReportKind = "further" // what became known since
	Summary  ReportKind = "summary" // thirty days after it was handled
	FlawNote ReportKind = "flaw"    // of a flaw of the product
)

// Section is one part of a report in its form's order.
type Section struct {
	ID    string            `json:"id"`
	Title map[string]string `json:"title"` // by language
	Lines []string          `json:"lines"` // paragraphs; none: nothing is known yet
}

// Report is a version of what the authority is told. It is a draft until staff
// record that they sent it: the program sends nothing.
type Report struct {
	Incident  string
	Version   int64
	Kind      ReportKind
	Sections  []Section
	SHA256    string   // of the sections as JSON
	Missing   []string // facts that are not known yet
	DraftedBy string
	DraftedAt time.Time
	SentBy    string
	SentAt    time.Time
	Reference string // the authority's file number
}

// SetFacts keeps what staff know for reports; an empty one is removed. Errors:
// ErrKind, ErrLong, ErrPersonal.
func (s *Service) SetFacts(ctx context.Context, p account.Principal, incident string, facts map[string]string) error {
	for name, said := range facts {
		if !slices.Contains(FactNames, name) {
			return ErrKind
		}
		if err := clean(name, said); err != nil {
			return err
		}
	}
	return s.change(ctx, incident, func(tx *db.Tx, i *Incident) error {
		if i.State == Closed {
			return ErrState.With("state", string(i.State)).With("event", "facts")
		}
		var changed []string
		for _, name := range FactNames {
			said, given := facts[name]
			if !given || i.Facts[name] == strings.TrimSpace(said) {
				continue
			}
			changed = append(changed, name)
			if i.Facts[name] = strings.TrimSpace(said); i.Facts[name] == "" {
				delete(i.Facts, name)
			}
		}
		if len(changed) == 0 {
			return nil
		}
		return s.stepTx(ctx, tx, p, incident, "facts_changed", map[string]string{"names": strings.Join(changed, " ")})
	})
}

// DraftReport writes the next version of a report from what is known.
func (s *Service) DraftReport(ctx context.Context, p account.Principal, incident string, kind ReportKind) (r Report, err error) {
	if !slices.Contains([]ReportKind{First, Further, Summary, FlawNote}, kind) {
		return r, ErrKind
	}
	return r, s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		i, err := byID(ctx, tx, incident)
		if err != nil {
			return err
		}
		all, err := reportsOf(ctx, tx, incident)
		if err != nil {
			return err
		}
		r = Report{Incident: incident, Version: int64(len(all)) + 1, Kind: kind, DraftedBy: string(p.Subject), DraftedAt: s.d.Clock.Now()}
		if r.Sections, r.Missing, err = s.sections(ctx, tx, i); err != nil {
			return err
		}
		raw, err := asJSON(r.Sections)
		if err != nil {
			return err
		}
		sum := sha256.Sum256([]byte(raw))
		r.SHA256 = hex.EncodeToString(sum[:])
		_, err = tx.Exec(ctx, `INSERT INTO incident_report (incident, version, kind, document, sha256, missing, drafted_by, drafted_at, sent_by, sent_at, reference)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '', 0, '')`, incident, r.Version, string(kind), raw, r.SHA256, strings.Join(r.Missing, " "),
			r.DraftedBy, db.Micros(r.DraftedAt))
		if err != nil {
			return err
		}
		return s.stepTx(ctx, tx, p, incident, "report_drafted", map[string]string{"version": itoa(r.Version), "kind": string(kind), "sha256": r.SHA256})
	})
}

func (s *Service) sections(ctx context.Context, q db.Q, i Incident) (all []Section, missing []string, err error) {
	for _, f := range words().Reports[s.d.Profile] {
		sec := Section{ID: f.ID, Title: map[string]string{"zh-CN": f.Chinese, "en": f.English}, Lines: []string{}}
		for _, k := range f.Known {
			lines, err := s.known(ctx, q, i, k)
			if err != nil {
				return nil, nil, err
			}
			sec.Lines = append(sec.Lines, lines...)
		}
		for _, name := range f.Facts {
			if said := i.Facts[name]; said != "" {
				sec.Lines = append(sec.Lines, said)
			} else if !f.Optional {
				missing = append(missing, name)
			}
		}
		all = append(all, sec)
	}
	return all, missing, nil
}

// known are the lines that the program writes itself.
func (s *Service) known(ctx context.Context, q db.Q, i Incident, what string) ([]string, error) {
	o := s.d.Sender
	switch what {
	case "unit":
		return []string{
			"单位 / Organisation: " + o.LegalName,
			"联系方式 / Contact: " + o.Contact,
			"个人信息保护负责人 / In charge of personal data: " + o.DPO + " " + o.DPOContact,
		}, nil
	case "event":
		return s.eventLines(i), nil
	}
	return s.peopleLines(ctx, q, i)
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return "–"
	}
	return t.In(civil.Zone).Format("2006-01-02 15:04 MST")
}

func both(t text) string { return t.Chinese + " / " + t.English }

func (s *Service) eventLines(i Incident) []string {
	w := words()
	people, grade := "统计中 / being counted", "按较大以上处理 / treated as reportable"
	if !i.CountedAt.IsZero() {
		people, grade = itoa(i.People), both(w.Grades[string(i.Grade())])
	}
	yes := map[bool]string{true: "是 / yes", false: "否 / no"}
	return []string{
		"编号 / Number: " + i.ID,
		"发现时间 / Discovered: " + stamp(i.DiscoveredAt),
		"获知时间 / Told: " + stamp(i.ToldAt),
		"发现途径 / Found by: " + both(w.Detectors[i.DetectedBy]),
		"类型 / Kind: " + both(w.Kinds[string(i.Kind)]),
		"涉及人数 / People: " + people,
		"级别 / Grade: " + grade,
		"涉及敏感个人信息 / Sensitive data: " + yes[i.Sensitive],
		"关键信息基础设施 / Critical infrastructure: " + yes[i.Critical],
	}
}

func (s *Service) peopleLines(ctx context.Context, q db.Q, i Incident) ([]string, error) {
	if i.State == Waived {
		return []string{"经两名负责人签署，因已有效避免危害，未告知个人 / Harm was averted; two members of staff signed that people are not told (PIPL 57)"}, nil
	}
	n, err := lastSent(ctx, q, i.ID)
	if err != nil {
		return []string{"尚未告知 / Not told yet"}, nil
	}
	r, err := s.reach(ctx, q, i.ID)
	if err != nil {
		return nil, err
	}
	announced, err := announcedOf(ctx, q, i.ID)
	if err != nil {
		return nil, err
	}
	return []string{
		fmt.Sprintf("通知 %d 于 %s 发出 / Notice %d was sent at %s", n.Number, stamp(n.SentAt), n.Number, stamp(n.SentAt)),
		fmt.Sprintf("已告知 %d 人，已送达 %d 人，无法送达 %d 人 / Told %d, reached %d, not reached %d", r.Told, r.Reached, r.Unreachable, r.Told, r.Reached, r.Unreachable),
		fmt.Sprintf("公告 %d 次 / Announcements: %d", len(announced), len(announced)),
		"通知 SHA-256 / Of the notice: " + n.SHA256,
	}, nil
}

// Markdown is the report as a document, for a form or a letter.
func (r Report) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# 个人信息安全事件报告 / Report of an incident with personal data\n\n%s · %s · v%d\n", r.Incident, r.Kind, r.Version)
	for _, s := range r.Sections {
		fmt.Fprintf(&b, "\n## %s / %s\n\n", s.Title["zh-CN"], s.Title["en"])
		if len(s.Lines) == 0 {
			b.WriteString("待补充 / to follow\n")
		}
		for _, l := range s.Lines {
			fmt.Fprintf(&b, "* %s\n", strings.ReplaceAll(l, "\n", "\n  "))
		}
	}
	return b.String()
}

// lacks names facts without which a report of the kind cannot go: in the first,
// those of its first sections (what is not known yet follows); in the summary,
// all that are not optional.
func (r Report) lacks(profile string) (all []string) {
	for _, f := range words().Reports[profile] {
		needed := (r.Kind == Summary && !f.Optional) || (f.First && r.Kind != Further)
		for _, name := range f.Facts {
			if needed && slices.Contains(r.Missing, name) {
				all = append(all, name)
			}
		}
	}
	return all
}

// ReportSent records that staff sent a version, when, and under which number the
// authority keeps it. Errors: ErrField, ErrReference, ErrTimes.
func (s *Service) ReportSent(ctx context.Context, p account.Principal, incident string, version int64, at time.Time, file string) error {
	if !reference.MatchString(file) {
		return ErrReference
	}
	return s.d.DB.InTx(ctx, func(tx *db.Tx) error {
		i, err := byID(ctx, tx, incident)
		if err != nil {
			return err
		}
		r, err := db.Get(ctx, tx, ErrNotFound, scanReport, reportColumns+" WHERE incident = $1 AND version = $2", incident, version)
		if err != nil {
			return err
		}
		if lacks := r.lacks(s.d.Profile); len(lacks) > 0 {
			return ErrField.With("field", strings.Join(lacks, ", "))
		}
		if at.After(s.d.Clock.Now()) || at.Before(r.DraftedAt.Truncate(time.Minute)) {
			return ErrTimes
		}
		err = tx.ExecOne(ctx, ErrIncident, "UPDATE incident_report SET sent_by = $1, sent_at = $2, reference = $3 WHERE incident = $4 AND version = $5 AND sent_at = 0",
			string(p.Subject), db.Micros(at), file, incident, version)
		if err != nil {
			return err
		}
		rule := map[ReportKind]string{First: i.authorityRule(), Summary: RuleSummary, FlawNote: RuleFlaw}[r.Kind]
		if err := meetTx(ctx, tx, incident, rule, at); err != nil {
			return err
		}
		return s.stepTx(ctx, tx, p, incident, "report_sent", map[string]string{
			"version": itoa(version), "kind": string(r.Kind), "sha256": r.SHA256, "at": at.UTC().Format(time.RFC3339), "reference": file,
		})
	})
}

const reportColumns = "SELECT incident, version, kind, document, sha256, missing, drafted_by, drafted_at, sent_by, sent_at, reference FROM incident_report"

func reportsOf(ctx context.Context, q db.Q, incident string) ([]Report, error) {
	return db.Select(ctx, q, scanReport, reportColumns+" WHERE incident = $1 ORDER BY version", incident)
}

func scanReport(r db.Row) (p Report, err error) {
	var drafted, sent int64
	var raw, missing string
	err = r.Scan(&p.Incident, &p.Version, &p.Kind, &raw, &p.SHA256, &missing, &p.DraftedBy, &drafted, &p.SentBy, &sent, &p.Reference)
	if err != nil {
		return p, err
	}
	p.Missing, p.DraftedAt, p.SentAt = strings.Fields(missing), db.FromMicros(drafted), db.FromMicros(sent)
	return p, json.Unmarshal([]byte(raw), &p.Sections)
}
