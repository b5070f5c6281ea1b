package privacy

import (
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"sync"
	"text/template"
	"time"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/skybridge-cloud/skybridge/internal/platform/civil"
	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
)

//go:embed letter.yaml
var letterFile []byte

// phrases are what letters are made of, in one language. Reasons, Laws and
// Remedies are closed lists: what is not there cannot be written.
type phrases struct {
	Letter   string            `yaml:"letter"`
	Kinds    map[Kind]string   `yaml:"kinds"`
	Reasons  map[string]string `yaml:"reasons"`
	Laws     map[string]string `yaml:"laws"`
	Remedies map[string]string `yaml:"remedies"`
}

var languages = sync.OnceValue(func() map[string]phrases {
	all, err := readLetters(letterFile)
	if err != nil {
		panic(err) // the file is part of the program; a test reads it
	}
	return all
})

func readLetters(text []byte) (map[string]phrases, error) {
	all := map[string]phrases{}
	dec := yaml.NewDecoder(strings.NewReader(string(text)))
	dec.KnownFields(true)
	if err := dec.Decode(&all); err != nil {
		return nil, fmt.Errorf("reading letters: %w", err)
	}
	return all, nil
}

// Reasons lists why something may not be granted.
func Reasons() []string { return listed(languages()["en"].Reasons) }

// Laws lists the articles that a refusal may rest on.
func Laws() []string { return listed(languages()["en"].Laws) }

// Remedies lists what a person may do against an answer.
func Remedies() []string { return listed(languages()["en"].Remedies) }

func listed(m map[string]string) (all []string) {
	for code := range m {
		all = append(all, code)
	}
	slices.Sort(all)
	return all
}

// court is the remedy that no refusal leaves out (PIPL 50, clause TY-9.3).
const court = "court"

// Letterhead are the operator's facts that letters print: where to complain, with
// us and with the authority (PIPL 65, NDR 20; clause SUP-5).
type Letterhead struct {
	Brand, LegalName, Complaint, Authority, DPO, DPOContact string
}

// Answer is what the desk decides. Words go to the person as they are; Remedies
// are codes of Remedies.
type Answer struct {
	Decision Decision
	Reason   string
	Law      string
	Remedies []string
	Words    string
}

// check holds an answer to its kind: what is not granted in whole carries a
// reason, a law and the remedies (PIPL 50), and an explanation explains.
func (a Answer) check(k Kind) error {
	if a.Decision != Granted && a.Decision != Partial && a.Decision != Denied {
		return ErrDecision
	}
	if utf8.RuneCountInString(a.Words) > maxWords {
		return ErrWordsLong
	}
	if k.told() && a.Decision != Denied && strings.TrimSpace(a.Words) == "" && !mutant.Off("TY-0d") {
		return ErrAnswerWords
	}
	if a.Decision == Granted || mutant.Off("TY-9.3") {
		return nil
	}
	return a.justified()
}

func (a Answer) justified() error {
	known := languages()["en"]
	if known.Reasons[a.Reason] == "" {
		return ErrReason
	}
	if known.Laws[a.Law] == "" {
		return ErrLaw
	}
	for _, r := range a.Remedies {
		if known.Remedies[r] == "" {
			return ErrRemedy
		}
	}
	if !slices.Contains(a.Remedies, court) {
		return ErrRemedy
	}
	return nil
}

// Letter is an answer as the person gets it, by language.
type Letter map[string]string

// digest is the SHA-256 of the letter as it is kept, in hex.
func (l Letter) digest() (raw []byte, sum string, err error) {
	if raw, err = json.Marshal(l); err != nil {
		return nil, "", err
	}
	s := sha256.Sum256(raw)
	return raw, hex.EncodeToString(s[:]), nil
}

// Letter writes the answer to a request, in each language.
func (h Letterhead) Letter(r Request, a Answer, at time.Time) (Letter, error) {
	all := Letter{}
	for language, p := range languages() {
		text, err := h.write(p, r, a, at)
		if err != nil {
			return nil, fmt.Errorf("writing the letter of %s: %w", r.ID, err)
		}
		all[language] = text
	}
	return all, nil
}

func (h Letterhead) write(p phrases, r Request, a Answer, at time.Time) (string, error) {
	t, err := template.New("").Option("missingkey=error").Parse(p.Letter)
	if err != nil {
		return "", err
	}
	if mutant.Off("SUP-5") {
		h.Complaint, h.Authority = "", ""
	}
	remedies := make([]string, 0, len(a.Remedies))
	for _, code := range a.Remedies {
		remedies = append(remedies, p.Remedies[code])
	}
	var out strings.Builder
	err = t.Execute(&out, map[string]any{
		"Head": h, "ID": r.ID, "Kind": p.Kinds[r.Kind], "Decision": string(a.Decision),
		"Received": civil.DayOf(r.ReceivedAt).String(), "Date": civil.DayOf(at).String(),
		"Reason": p.Reasons[a.Reason], "Law": p.Laws[a.Law], "Remedies": remedies, "Words": strings.TrimSpace(a.Words),
	})
	return strings.TrimSpace(out.String()) + "\n", err
}
