package console

import (
	"testing"
	"testing/synctest"
	"time"
)

func TestAges(t *testing.T) {
	languages, err := readWords()
	if err != nil {
		t.Fatal(err)
	}
	for age, want := range map[time.Duration][2]string{
		-time.Second:      {"0 s ago", "0 秒前"},
		12 * time.Second:  {"12 s ago", "12 秒前"},
		119 * time.Second: {"119 s ago", "119 秒前"},
		2 * time.Minute:   {"2 min ago", "2 分钟前"},
		119 * time.Minute: {"119 min ago", "119 分钟前"},
		2 * time.Hour:     {"2 h ago", "2 小时前"},
		47 * time.Hour:    {"47 h ago", "47 小时前"},
		48 * time.Hour:    {"2 days ago", "2 天前"},
	} {
		for i, w := range languages {
			if got, err := (clock{words: w, zone: time.UTC}).age(age); got != want[i] || err != nil {
				t.Errorf("%s is %q in %s, want %q (%v)", age, got, w.tag, want[i], err)
			}
		}
	}
}

func TestTimesAsElements(t *testing.T) {
	languages, err := readWords()
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) { // begins at midnight UTC 2000-01-01
		c := clock{words: languages[0], zone: time.FixedZone("", 8*3600)}
		at := time.Now().Add(-90 * time.Millisecond)
		ago, err := c.ago(at)
		const want = `<time datetime="1999-12-31T23:59:59.910Z" title="2000-01-01 07:59:59.910 +08:00" data-ago>0 s ago</time>`
		if string(ago) != want || err != nil {
			t.Errorf("got %s, %v\nwant %s", ago, err, want)
		}
		if got := c.when(at); got != `<time datetime="1999-12-31T23:59:59.910Z" title="2000-01-01 07:59:59.910 +08:00">2000-01-01 07:59:59</time>` {
			t.Errorf("got %s", got)
		}
		if ago, err := c.ago(time.Time{}); ago != "–" || c.when(time.Time{}) != "–" || err != nil {
			t.Errorf("no time is %q and %q", ago, c.when(time.Time{}))
		}
	})
}
