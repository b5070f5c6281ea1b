package privacy

import (
	"testing"

	"github.com/skybridge-cloud/skybridge/internal/platform/i18n"
)

func TestTheAssistantKnowsWhereThingsAreInBothLanguages(t *testing.T) {
	t.Parallel()
	for question, want := range map[string]string{
		"怎么删除我的信息": "delete", "How do I DELETE  my data?": "delete", "我想注销账号": "cancel", "can I get a copy of everything": "copy",
		"谁看过我的实名信息？": "log", "my account was hacked": "misuse", "你们保存多久": "policy", "忘记密码了": "password", "I want to complain": "complaint",
		"my daughter is a minor": "child",
	} {
		for _, l := range i18n.Languages {
			got := Assist(question, l)
			if len(got) == 0 || len(got) > maxHints || got[0].Topic != want || got[0].Words == "" {
				t.Errorf("%s (%s): got %+v, want %s", question, l, got, want)
			}
		}
	}
	for _, question := range []string{"", "the weather", "天气"} {
		if got := Assist(question, i18n.English); len(got) != 0 {
			t.Errorf("%q: got %+v, want a person", question, got)
		}
	}
}

func TestEveryHintIsWhole(t *testing.T) {
	t.Parallel()
	for _, h := range hints() {
		if h.Topic == "" || h.Page == "" || len(h.Words) == 0 || len(h.Says) != len(i18n.Languages) {
			t.Errorf("%+v lacks something", h)
		}
	}
	if r := replyTexts(); r.Received == "" || r.ReceivedTitle == "" || r.AnsweredTitle == "" {
		t.Error("a mail has no words")
	}
}
