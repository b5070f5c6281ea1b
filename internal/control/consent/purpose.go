package consent

import (
	"bytes"
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"

	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
)

//go:embed purposes.yaml
var purposesFile []byte

// Purpose is one entry of the closed list in purposes.yaml.
type Purpose struct {
	ID       string `yaml:"id"`
	Document string `yaml:"document"` // whose new major version shuts it
	Kind     string `yaml:"kind"`
	Basis    string `yaml:"basis"`
	Act      bool   `yaml:"act"`    // opens only by an explicit act
	Adult    bool   `yaml:"adult"`  // the act states adulthood
	Core     bool   `yaml:"core"`   // the product does not work without it
	Signup   bool   `yaml:"signup"` // asked at registration
	Minors   bool   `yaml:"minors"` // asked of guardians only
	Of       string `yaml:"of"`     // a use of what another purpose's act lets be kept: open while that is
	Profile  string `yaml:"profile"`
	Clause   string `yaml:"clause"`
	Chinese  string `yaml:"zh"`
	English  string `yaml:"en"`
}

var registry = sync.OnceValue(func() []Purpose {
	all, err := readPurposes(purposesFile)
	if err != nil {
		panic(err) // the file is part of the program; a test reads it
	}
	return all
})

func readPurposes(text []byte) ([]Purpose, error) {
	var all []Purpose
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(&all); err != nil {
		return nil, fmt.Errorf("reading purposes: %w", err)
	}
	for _, p := range all {
		if err := p.complete(); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// item is something that the law wants a notice to say, by the words that the
// notices begin it with.
type item struct{ name, chinese, english string }

// noticed are the items of what is shown before a separate consent: why sensitive
// data are necessary and what that means for the person (PIPL 30); of a transfer
// abroad who receives what for what and how, and how to exercise rights (PIPL 39).
var noticed = map[string][]item{
	SeparateSensitive: {{"necessity", "必要性：", "Necessity:"}, {"effect on the person", "对您的影响：", "Effect on you:"}},
	SeparateCrossborder: {
		{"recipient", "境外接收方：", "Recipient:"},
		{"contact", "联系方式：", "contact "},
		{"purpose", "处理目的：", "Purpose:"},
		{"method", "处理方式：", "Method:"},
		{"kinds of data", "信息种类：", "Kinds:"},
		{"rights", "行使权利", "exercise your rights"},
	},
}

// complete refuses a purpose whose notice leaves out what the law wants said before
// the act: nobody could consent to it.
func (p Purpose) complete() error {
	if p.Kind == SeparateSensitive && mutant.Off("SUP-8") || p.Kind == SeparateCrossborder && mutant.Off("TY-3.1b") {
		return nil
	}
	for _, i := range noticed[p.Kind] {
		if !strings.Contains(p.Chinese, i.chinese) || !strings.Contains(p.English, i.english) {
			return fmt.Errorf("purpose %s: its notice does not say in both languages: %s", p.ID, i.name)
		}
	}
	return nil
}

// Purposes lists the closed list for a profile.
func Purposes(profile string) []Purpose {
	return slices.DeleteFunc(slices.Clone(registry()), func(p Purpose) bool {
		return p.Profile != "" && p.Profile != profile
	})
}

// purpose finds an entry. A purpose that is not in the list is shut.
func (s *Service) purpose(id string) (Purpose, error) {
	for _, p := range s.purposes {
		if p.ID == id {
			return p, nil
		}
	}
	return Purpose{}, ErrGateClosed.With("purpose", id)
}

// UsesOf lists the uses of what the act of a purpose lets be kept. The list is
// closed: what it does not name, nothing is used for (LT-1.2b).
func UsesOf(purpose string) (uses []string) {
	for _, p := range registry() {
		if p.Of == purpose {
			uses = append(uses, p.ID)
		}
	}
	return uses
}

// SignupPurposes lists what registration asks for, in order: the policy, and
// in the profile hongkong the transfer abroad.
func (s *Service) SignupPurposes() []string {
	var ids []string
	for _, p := range s.purposes {
		if p.Signup {
			ids = append(ids, p.ID)
		}
	}
	return ids
}
