package invoice

import (
	"bytes"
	_ "embed"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"

	"github.com/skybridge-cloud/skybridge/internal/control/catalog"
)

//go:embed words.yaml
var wordsFile []byte

// languages of documents, the one of other languages first.
var languages = []string{"zh-CN", "en"}

var words = sync.OnceValue(func() map[string]map[string]string {
	all := map[string]map[string]string{}
	dec := yaml.NewDecoder(bytes.NewReader(wordsFile))
	dec.KnownFields(true)
	if err := dec.Decode(&all); err != nil {
		panic(err) // the file is part of the program; a test reads it
	}
	return all
})

// speaker says things in a language.
type speaker string

// speaking returns the speaker of a language tag; Chinese for those that there are
// no words of.
func speaking(language string) speaker {
	if slices.Contains(languages, language) {
		return speaker(language)
	}
	return speaker(languages[0])
}

// say returns the word for a key, with n put in; of what has no word the key.
func (s speaker) say(key, n string) string {
	word, ok := words()[key]
	if !ok {
		return strings.TrimSpace(key + " " + n)
	}
	return strings.ReplaceAll(word[string(s)], "{n}", n)
}

// name is a text of the catalogue.
func (s speaker) name(text map[string]string) string { return text[string(s)] }

// options are what was chosen, in words; what was left out is not said.
func (s speaker) options(chosen map[string]string) string {
	var all []string
	for id, value := range chosen {
		if value != catalog.Without {
			all = append(all, s.say(id, value))
		}
	}
	slices.Sort(all)
	return strings.Join(all, map[speaker]string{"zh-CN": "、", "en": ", "}[s])
}

func (s speaker) months(n int) string {
	switch n {
	case 0:
		return ""
	case 1:
		return s.say("month", "1")
	}
	return s.say("months", itoa(n))
}

// What says what a line is of: product, region, what was chosen, in a language.
func (l Line) What(language string) (product, region, options string) {
	s := speaking(language)
	return s.name(l.Names.Product), s.name(l.Names.Region), s.options(l.Options)
}
