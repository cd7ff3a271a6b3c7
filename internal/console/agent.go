package console

import (
	"regexp"
	"strings"
)

// agents are how browsers call themselves, those first whose names hold those of
// others: nearly all say that they are Chrome and Safari, too.
func agents() []struct{ name, mark string } {
	return []struct{ name, mark string }{
		{"Edge", "Edg"},
		{"Opera", "OPR"},
		{"Samsung Internet", "SamsungBrowser"},
		{"Firefox", "Firefox"},
		{"Firefox", "FxiOS"},
		{"Chrome", "HeadlessChrome"},
		{"Chrome", "Chrome"},
		{"Chrome", "CriOS"},
		{"Safari", "Version"},
		{"curl", "curl"},
	}
}

// agentName is what people call a browser, such as "Chrome 156, Linux"; for others
// what they say of themselves.
func agentName(agent string) string {
	system := ""
	for _, s := range []struct{ name, mark string }{
		{"iPad", "iPad"}, {"iPhone", "iPhone"}, {"Android", "Android"}, {"Windows", "Windows"}, {"macOS", "Macintosh"}, {"ChromeOS", "CrOS"}, {"Linux", "Linux"},
	} {
		if strings.Contains(agent, s.mark) {
			system = ", " + s.name
			break
		}
	}
	for _, a := range agents() {
		if m := regexp.MustCompile(`\b` + a.mark + `/(\d+)`).FindStringSubmatch(agent); m != nil {
			return a.name + " " + m[1] + system
		}
	}
	return agent
}
