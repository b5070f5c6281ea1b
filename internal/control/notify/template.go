package notify

import (
	"bytes"
	_ "embed"
	"fmt"
	"html"
	"regexp"
	"slices"
	"strings"
	"sync"
	"text/template"

	"go.yaml.in/yaml/v3"

	"github.com/skybridge-cloud/skybridge/internal/platform/mutant"
)

//go:embed templates.yaml
var templatesFile []byte

// words are a template in one language.
type words struct {
	Title string `yaml:"title"`
	Body  string `yaml:"body"`
}

// kind is what is said about one event.
type kind struct {
	Event      string `yaml:"event"`
	Mail       string `yaml:"mail"`  // purpose; empty: no mail
	SMS        string `yaml:"sms"`   // text of sms.yaml; empty: no SMS
	Token      string `yaml:"token"` // verify, email_change, reset, phone or none
	Leave      string `yaml:"leave"` // what a person may switch off: one, all; empty: neither notice nor mail
	Link       string `yaml:"link"`
	Inbox      bool   `yaml:"inbox"`
	Unverified bool   `yaml:"unverified"`
	Chinese    words  `yaml:"zh-CN"`
	English    words  `yaml:"en"`
}

// tokenPhone is the code that confirms a telephone number. It goes by SMS alone.
const tokenPhone = "phone"

var kinds = sync.OnceValue(func() map[string]kind {
	all, err := readKinds(templatesFile)
	if err != nil {
		panic(err) // the file is part of the program; a test reads it
	}
	return all
})

// mailPurposes are all that an address of mail serves (LT-1.1f).
var mailPurposes = []string{"account", "verify", "recovery", "security", "service_change"}

func readKinds(text []byte) (map[string]kind, error) {
	var list []kind
	dec := yaml.NewDecoder(bytes.NewReader(text))
	dec.KnownFields(true)
	if err := dec.Decode(&list); err != nil {
		return nil, fmt.Errorf("reading templates: %w", err)
	}
	all := map[string]kind{}
	for _, k := range list {
		if k.Mail != "" && !slices.Contains(mailPurposes, k.Mail) && !mutant.Off("LT-1.1f") {
			return nil, fmt.Errorf("reading templates: %s is mailed for %q, which the policy does not say", k.Event, k.Mail)
		}
		if k.Leave != "" && (k.Mail != "service_change" || k.Leave != leaveOne && k.Leave != leaveAll) {
			return nil, fmt.Errorf("reading templates: %s cannot be left out as %q", k.Event, k.Leave)
		}
		if err := k.checkSMS(); err != nil {
			return nil, fmt.Errorf("reading templates: %w", err)
		}
		all[k.Event] = k
	}
	return all, nil
}

// events lists all in the order of the file.
var events = sync.OnceValue(func() []string {
	var list []kind
	if err := yaml.Unmarshal(templatesFile, &list); err != nil {
		panic(err)
	}
	var all []string
	for _, k := range list {
		all = append(all, k.Event)
	}
	return all
})

func (k kind) words(locale string) words {
	if locale == "en" {
		return k.English
	}
	return k.Chinese
}

// data is what templates may name.
type data struct {
	Brand string
	Text  string // of Service.Texts
	P     map[string]string
}

var param = regexp.MustCompile(`\.P\.([a-z_]+)`)

// params lists the parameters that the templates of an event name.
func (k kind) params() []string {
	var names []string
	for _, text := range []string{k.Link, k.Chinese.Title, k.Chinese.Body, k.English.Title, k.English.Body} {
		for _, m := range param.FindAllStringSubmatch(text, -1) {
			names = append(names, m[1])
		}
	}
	return names
}

// fill renders a template; a missing parameter is an error.
func fill(text string, d data) (string, error) {
	t, err := template.New("").Option("missingkey=error").Parse(text)
	if err != nil {
		return "", fmt.Errorf("parsing a template: %w", err)
	}
	var out strings.Builder
	if err := t.Execute(&out, d); err != nil {
		return "", fmt.Errorf("filling a template: %w", err)
	}
	return out.String(), nil
}

// letter is a mail before it is put into a form.
type letter struct {
	name, locale, brand string
	title, body, link   string
}

func (l letter) phrases() (greeting, footer string) {
	if l.locale == "en" {
		return "Hello " + l.name + ",", "This mail was sent by " + l.brand + " because it concerns your account. It is not advertising."
	}
	return l.name + "，您好：", "这封邮件由 " + l.brand + " 发出，与您的账户有关，不是广告。"
}

func (l letter) text() string {
	greeting, footer := l.phrases()
	parts := []string{greeting, l.body}
	if l.link != "" {
		parts = append(parts, l.link)
	}
	return strings.Join(append(parts, "-- \n"+footer), "\n\n") + "\n"
}

// html loads nothing from anywhere: no pictures, no styles, no tracking.
func (l letter) html() string {
	greeting, footer := l.phrases()
	var b strings.Builder
	fmt.Fprintf(&b, `<!DOCTYPE html><html lang="%s"><head><meta charset="utf-8"><title>%s</title></head><body>`, l.locale, html.EscapeString(l.title))
	for _, p := range append([]string{greeting}, strings.Split(l.body, "\n\n")...) {
		fmt.Fprintf(&b, "<p>%s</p>", strings.ReplaceAll(html.EscapeString(p), "\n", "<br>"))
	}
	if l.link != "" {
		e := html.EscapeString(l.link)
		fmt.Fprintf(&b, `<p><a href="%s">%s</a></p>`, e, e)
	}
	fmt.Fprintf(&b, "<p><small>%s</small></p></body></html>\n", html.EscapeString(footer))
	return b.String()
}
