package main

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

type policy struct {
	Document    string `json:"document"`
	Version     string `json:"version"`
	Change      string `json:"change"`
	SHA256      string `json:"sha256"`
	PublishedAt string `json:"published_at"`
	EffectiveAt string `json:"effective_at"`
	Texts       []struct {
		Locale string `json:"locale"`
		Title  string `json:"title"`
		Body   string `json:"body"`
		SHA256 string `json:"sha256"`
	} `json:"texts"`
}

// check recomputes the hash of each text and the version's hash over them.
func (v policy) check() error {
	lines := []string{v.Document, v.Version}
	for _, t := range v.Texts {
		if hexSum([]byte(t.Body)) != t.SHA256 {
			return fmt.Errorf("the text in %s is not what its hash says", t.Locale)
		}
		lines = append(lines, t.Locale+" "+t.SHA256)
	}
	if hexSum([]byte(strings.Join(lines, "\n")+"\n")) != v.SHA256 {
		return errors.New("its hash is not over its texts")
	}
	return nil
}

// policies holds each version to its texts, and to the entry of its publication.
func (p *pack) policies() (string, error) {
	var all []policy
	if err := p.decode("policies.json", &all); err != nil {
		return "", err
	}
	logged := map[string]string{}
	for _, e := range p.entries {
		if e.kind == "policy.published" && e.detail != nil {
			logged[e.detail.Detail["document"]+" "+e.detail.Detail["version"]] = e.detail.Detail["sha256"]
		}
	}
	for _, v := range all {
		if err := v.check(); err != nil {
			return "", fmt.Errorf("%s %s: %w", v.Document, v.Version, err)
		}
		if logged[v.Document+" "+v.Version] != v.SHA256 {
			return "", fmt.Errorf("%s %s: the log has no such publication", v.Document, v.Version)
		}
	}
	if len(all) != len(logged) {
		return "", fmt.Errorf("%d versions, and %d publications in the log", len(all), len(logged))
	}
	return fmt.Sprintf("%d versions are what the log says was published", len(all)), nil
}

type act struct {
	ID         string    `json:"id"`
	Subject    string    `json:"subject"`
	Purpose    string    `json:"purpose"`
	Kind       string    `json:"kind"`
	Decision   string    `json:"decision"`
	Document   string    `json:"document"`
	Version    string    `json:"version"`
	TextSHA256 string    `json:"text_sha256"`
	Locale     string    `json:"locale"`
	Channel    string    `json:"channel"`
	Adult      bool      `json:"adult"`
	At         time.Time `json:"at"`
	Receipt    string    `json:"receipt"`
}

// receipt is the hash that the person was given.
func (a act) receipt() string {
	return hexSum([]byte(strings.Join([]string{
		"skybridge-consent/v1", a.ID, a.Subject, a.Purpose, a.Kind, a.Decision, a.Document, a.Version,
		a.TextSHA256, a.Locale, a.Channel, fmt.Sprint(a.Adult), a.At.UTC().Format("2006-01-02T15:04:05.000000Z"),
	}, "\n") + "\n"))
}

// consents recomputes the receipts and finds each act in the log.
func (p *pack) consents() (string, error) {
	var all []act
	if err := p.decode("consents.json", &all); err != nil {
		return "", err
	}
	told, untold := p.acts()
	for _, a := range all {
		if a.receipt() != a.Receipt {
			return "", fmt.Errorf("%s: its receipt is not over what it says", a.ID)
		}
		if p.person() && a.Subject != p.Subject {
			return "", fmt.Errorf("%s is of somebody else", a.ID)
		}
		switch {
		case told[a.ID] == a.Receipt:
			delete(told, a.ID)
		case untold[a.Subject+" "+a.Decision] > 0:
			untold[a.Subject+" "+a.Decision]--
		default:
			return "", fmt.Errorf("%s: the log has no such act", a.ID)
		}
	}
	for id := range told {
		return "", fmt.Errorf("%s is in the log and not here", id)
	}
	for who, n := range untold {
		if n > 0 && !p.person() {
			return "", fmt.Errorf("%d acts (%s) are in the log and not here", n, who)
		}
	}
	return fmt.Sprintf("%d acts, with receipts that are over what they say", len(all)), nil
}

// acts are the receipts in the log by event, and how many acts without a told
// detail it has by person and decision.
func (p *pack) acts() (told map[string]string, untold map[string]int) {
	told, untold = map[string]string{}, map[string]int{}
	for _, e := range p.entries {
		decision, ok := strings.CutPrefix(e.kind, "consent.")
		switch {
		case !ok:
		case e.detail != nil:
			told[e.detail.Detail["event"]] = e.detail.Detail["receipt"]
		default:
			untold[e.handle+" "+decision]++
		}
	}
	return told, untold
}

// row is a row of a register that repeats the detail of an entry.
type row struct {
	index         int64
	subject       string
	class, actor  string
	detail        map[string]string
	kind, another string // types of its entry
}

// register holds rows to the entries of their types, one to one and in order.
func (p *pack) register(rows []row, kinds ...string) error {
	seen := map[int64]bool{}
	for _, r := range rows {
		at, ok := p.byIndex[r.index]
		if !ok || seen[r.index] {
			return fmt.Errorf("the row of entry %d has no entry of its own", r.index)
		}
		seen[r.index] = true
		if err := p.entries[at].repeats(r); err != nil {
			return fmt.Errorf("entry %d: %w", r.index, err)
		}
	}
	for _, e := range p.entries {
		for _, kind := range kinds {
			if e.kind == kind && !seen[e.Index] {
				return fmt.Errorf("entry %d has no row", e.Index)
			}
		}
	}
	return nil
}

func (e entry) repeats(r row) error {
	if e.kind != r.kind && e.kind != r.another || e.handle != r.subject {
		return errors.New("the row is about something else")
	}
	if e.detail == nil {
		return nil
	}
	if e.detail.Class != r.class || e.detail.Actor != r.actor || len(e.detail.Detail) != len(r.detail) {
		return errors.New("the row says something else")
	}
	for name, value := range r.detail {
		if e.detail.Detail[name] != value {
			return fmt.Errorf("the row says another %s", name)
		}
	}
	return nil
}

func (p *pack) disclosures() (string, error) {
	var all []struct {
		Index     int64     `json:"index"`
		ID        string    `json:"id"`
		Subject   string    `json:"subject"`
		Phase     string    `json:"phase"`
		At        time.Time `json:"at"`
		Recipient string    `json:"recipient"`
		LegalName string    `json:"legal_name"`
		Role      string    `json:"role"`
		Region    string    `json:"region"`
		Op        string    `json:"op"`
		Purpose   string    `json:"purpose"`
		Basis     string    `json:"basis"`
		Mechanism string    `json:"mechanism"`
		Fields    []string  `json:"fields"`
	}
	if err := p.decode("disclosures.json", &all); err != nil {
		return "", err
	}
	var rows []row
	for _, d := range all {
		rows = append(rows, row{index: d.Index, subject: d.Subject, class: "system", kind: "disclosure.intent", another: "disclosure.finished", detail: map[string]string{
			"recipient": d.Recipient, "role": d.Role, "region": d.Region, "op": d.Op, "purpose": d.Purpose, "basis": d.Basis, "mechanism": d.Mechanism,
			"fields": strings.Join(d.Fields, " "), "phase": d.Phase, "legal_name": d.LegalName, "at": d.At.UTC().Format(time.RFC3339Nano),
		}})
	}
	return fmt.Sprintf("%d phases of disclosures are as logged", len(all)), p.register(rows, "disclosure.intent", "disclosure.finished")
}

func (p *pack) reads() (string, error) {
	var all []struct {
		Index   int64     `json:"index"`
		ID      string    `json:"id"`
		Subject string    `json:"subject"`
		At      time.Time `json:"at"`
		Class   string    `json:"class"`
		Reader  string    `json:"reader"`
		Fields  []string  `json:"fields"`
		Purpose string    `json:"purpose"`
		Reason  string    `json:"reason"`
	}
	if err := p.decode("reads.json", &all); err != nil {
		return "", err
	}
	var rows []row
	for _, r := range all {
		rows = append(rows, row{index: r.Index, subject: r.Subject, class: r.Class, actor: r.Reader, kind: "read.recorded", detail: map[string]string{
			"fields": strings.Join(r.Fields, " "), "purpose": r.Purpose, "reason": r.Reason, "at": r.At.UTC().Format(time.RFC3339Nano),
		}})
	}
	return fmt.Sprintf("%d reads are as logged", len(all)), p.register(rows, "read.recorded")
}
