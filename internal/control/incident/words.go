package incident

import (
	"bytes"
	_ "embed"
	"fmt"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"
)

//go:embed words.yaml
var wordsFile []byte

// languages of notices and reports, the authoritative first.
var languages = []string{"zh-CN", "en"}

type text struct {
	Chinese string `yaml:"zh-CN"`
	English string `yaml:"en"`
}

func (t text) in(language string) string {
	if language == "en" {
		return t.English
	}
	return t.Chinese
}

type field struct {
	ID   string `yaml:"id"`
	text `yaml:",inline"`
}

// section is one part of a report.
type section struct {
	ID       string   `yaml:"id"`
	First    bool     `yaml:"first"`    // it may not be missing in the first report
	Optional bool     `yaml:"optional"` // nor any but these in the summary
	Known    []string `yaml:"known"`    // what the program writes into it
	Facts    []string `yaml:"facts"`    // what staff wrote
	text     `yaml:",inline"`
}

type lexicon struct {
	Title      text                 `yaml:"title"`
	Supplement text                 `yaml:"supplement"`
	Greeting   text                 `yaml:"greeting"`
	Unknown    text                 `yaml:"unknown"`
	Fields     []field              `yaml:"fields"`
	Kinds      map[string]text      `yaml:"kinds"`
	Grades     map[string]text      `yaml:"grades"`
	Detectors  map[string]text      `yaml:"detectors"`
	Reports    map[string][]section `yaml:"reports"`
}

var words = sync.OnceValue(func() lexicon {
	var l lexicon
	dec := yaml.NewDecoder(bytes.NewReader(wordsFile))
	dec.KnownFields(true)
	if err := dec.Decode(&l); err != nil {
		panic(fmt.Errorf("reading the words of notices: %w", err)) // the file is part of the program; a test reads it
	}
	return l
})

// FieldNames are the fields of a notice, in its order. None may be missing.
func FieldNames() (all []string) {
	for _, f := range words().Fields {
		all = append(all, f.ID)
	}
	return all
}

// FactNames are what staff may write for reports.
var FactNames = []string{"systems", "place", "data", "impact", "measures", "trend", "cause", "clues", "planned", "support", "scene", "other"}

func fill(s string, pairs ...string) string { return strings.NewReplacer(pairs...).Replace(s) }
