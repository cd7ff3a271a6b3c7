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
	versions := map[string]string{}
	for _, m := range regexp.MustCompile(`\b(\w+)/(\d+)`).FindAllStringSubmatch(agent, -1) {
		versions[m[1]] = m[2]
	}
	for _, a := range agents() {
		if version, ok := versions[a.mark]; ok {
			return a.name + " " + version + system
		}
	}
	return agent
}
