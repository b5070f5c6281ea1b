package consent

import (
	"bytes"
	_ "embed"
	"fmt"
	"slices"
	"sync"

	"go.yaml.in/yaml/v3"
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
	return all, nil
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
