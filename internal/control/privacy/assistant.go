package privacy

import (
	_ "embed"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"

	"github.com/skybridge-cloud/skybridge/internal/platform/i18n"
)

//go:embed assistant.yaml
var assistantFile []byte

// hint is a rule of the assistant: words that it listens to and what it says.
type hint struct {
	Topic string                   `yaml:"topic"`
	Page  string                   `yaml:"page"` // path in the console
	Words []string                 `yaml:"words"`
	Says  map[i18n.Language]string `yaml:"says"`
}

var hints = sync.OnceValue(func() (all []hint) {
	dec := yaml.NewDecoder(strings.NewReader(string(assistantFile)))
	dec.KnownFields(true)
	if err := dec.Decode(&all); err != nil {
		panic(err) // the file is part of the program; a test reads it
	}
	return all
})

// Hint is what the assistant answers.
type Hint struct{ Topic, Words, Page string }

// maxHints is how many answers one question gets.
const maxHints = 3

// Assist answers where to find what: by rules, from a list, and keeps nothing.
// It understands nothing beyond its words; no answer means that a person has to
// look. It is no automated decision about anybody (PIPL 24).
func Assist(question string, l i18n.Language) (found []Hint) {
	question = " " + strings.Join(strings.Fields(strings.ToLower(question)), " ") + " "
	for _, h := range hints() {
		for _, w := range h.Words {
			if strings.Contains(question, w) {
				found = append(found, Hint{h.Topic, h.Says[l], h.Page})
				break
			}
		}
		if len(found) == maxHints {
			break
		}
	}
	return found
}
