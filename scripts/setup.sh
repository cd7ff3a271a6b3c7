#!/usr/bin/env bash
# Installs what this machine lacks to build, demonstrate or test Stillcast:
#
#   scripts/setup.sh build|demo|test
#
# It looks first and says nothing when nothing is missing. What is missing it installs by apt-get if it is root or
# sudo needs no password; otherwise it prints the one command to run and fails.
set -euo pipefail

readonly purpose=${1:-}
readonly compiler=${CC:-gcc}
packages=() # Debian's names of what is missing
reasons=()  # what was looked for and not found, for people

lack() { # lack REASON PACKAGE…
	reasons+=("$1")
	shift
	packages+=("$@")
}

has() { command -v "$1" >/dev/null 2>&1; }

look_for_build() {
	has "${compiler%% *}" || lack "a C compiler (${compiler})" gcc libc6-dev
	[[ -e /etc/ssl/certs/ca-certificates.crt || -e /etc/ssl/cert.pem || -d /etc/pki ]] ||
		lack "certificate authorities, to download Go modules" ca-certificates
	if ! has pkg-config; then
		lack "pkg-config" pkg-config
	fi
	look_for_library libavcodec libavcodec-dev
	look_for_library libavutil libavutil-dev
	look_for_header libyuv.h libyuv-dev
	look_for_library libjpeg libjpeg-dev
	look_for_library libwebp libwebp-dev
}

look_for_library() { # look_for_library MODULE PACKAGE
	{ has pkg-config && pkg-config --exists "$1"; } || lack "the development files of $1" "$2"
}

# look_for_header HEADER PACKAGE: for libraries that pkg-config does not know everywhere.
look_for_header() {
	{ has "${compiler%% *}" && ${compiler} -E -include "$1" -x c /dev/null >/dev/null 2>&1; } ||
		lack "the development files of $2 ($1)" "$2"
}

look_for_demo() {
	look_for_build
	{ has ffmpeg && [[ "$(ffmpeg -hide_banner -h encoder=libx264 2>&1)" == *"Encoder libx264"* ]]; } ||
		lack "ffmpeg with libx264" ffmpeg
	[[ -n "$(find -L /usr/share/fonts /usr/local/share/fonts -name '*.ttf' -print -quit 2>/dev/null)" ]] ||
		lack "a font for the clock in the picture" fonts-dejavu-core
}

look_for_encoders() { # look_for_encoders NAME…
	local found name
	has ffmpeg || return 0
	found=$(ffmpeg -hide_banner -encoders 2>/dev/null)
	for name in "$@"; do
		[[ ${found} == *" ${name} "* ]] || lack "ffmpeg with ${name}" ffmpeg
	done
}

look_for_test() {
	look_for_demo
	look_for_encoders libx265 libaom-av1 libvpx-vp9 libvpx
	look_for_gstreamer
	has obs || lack "OBS Studio" obs-studio
	has Xvfb || lack "Xvfb, a display for OBS" xvfb
	has node || lack "node, for FFmpeg 8 and the clients of Tencent Cloud" nodejs
	has npm || lack "npm, for the same" npm
	has chromium || lack "Chromium, for the console" chromium
	look_for_chinese_font
	has shellcheck || lack "shellcheck" shellcheck
	# Whoever is not root mounts by it.
	[[ $(id -u) == 0 ]] || has fusermount3 || lack "fusermount3, for the file system whose power tests cut" fuse3
	# A library that gcc does not find is answered with the bare name.
	if [[ ${compiler} == gcc* ]] && has gcc && [[ "$(gcc -print-file-name=libasan.so)" != /* ]]; then
		lack "gcc's address sanitizer" "libgcc-$(gcc -dumpversion)-dev"
	fi
}

look_for_chinese_font() {
	local found
	found=$(find -L /usr/share/fonts /usr/local/share/fonts \
		\( -iname '*cjk*' -o -iname 'wqy*' -o -iname '*sourcehan*' -o -iname 'droidsansfallback*' \) -print -quit 2>/dev/null)
	[[ -n ${found} ]] || lack "a Chinese font, for the console" fonts-wqy-microhei
}

look_for_gstreamer() {
	if ! has gst-launch-1.0 || ! has gst-inspect-1.0; then
		lack "gst-launch-1.0" gstreamer1.0-tools
		lack "GStreamer's videotestsrc, x264enc, flvmux, rtmp2sink and rtmpsink" \
			gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly
		return
	fi
	local checks=() elements=(videotestsrc x264enc flvmux rtmp2sink rtmpsink) kinds=(base ugly good bad bad) i
	# Side by side: each look takes a fifth of a second.
	for i in "${!elements[@]}"; do
		gst-inspect-1.0 --exists "${elements[i]}" >/dev/null 2>&1 &
		checks+=("$!")
	done
	for i in "${!elements[@]}"; do
		wait "${checks[i]}" || lack "GStreamer's ${elements[i]}" "gstreamer1.0-plugins-${kinds[i]}"
	done
}

look() {
	packages=()
	reasons=()
	case ${purpose} in
	build) look_for_build ;;
	demo) look_for_demo ;;
	test) look_for_test ;;
	*)
		echo "usage: scripts/setup.sh build|demo|test" >&2
		exit 2
		;;
	esac
}

say_missing() {
	echo "Missing here:" >&2
	printf '  %s\n' "${reasons[@]}" >&2
}

# as_root prints the prefix under which apt-get may be run without asking anyone, or fails.
as_root() {
	if [[ $(id -u) == 0 ]]; then
		echo "env"
	elif has sudo && sudo -n true 2>/dev/null; then
		echo "sudo -n env"
	else
		return 1
	fi
}

install_packages() { # install_packages PREFIX…
	# Progress is hundreds of lines that no one reads; errors come on standard error.
	local apt=("$@" DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3)
	"${apt[@]}" update </dev/null >/dev/null
	"${apt[@]}" install -y --no-install-recommends "${packages[@]}" </dev/null >/dev/null
}

# install_npm brings what the lock file of a folder lists, in those versions and with those checksums and without
# running the packages' own scripts. The tests look for it in the same folder, which is named after the lock file: a
# changed one is installed anew.
install_npm() { # install_npm NAME FOLDER SIZE
	local source home half
	source=$(dirname "${BASH_SOURCE[0]}")/../$2
	home=${XDG_CACHE_HOME:-${HOME}/.cache}/stillcast/$1-$(sha256sum "${source}/package-lock.json" | cut -c 1-16)
	if [[ -d ${home} ]]; then
		return
	fi
	echo "Installing: $1 ($3) in ${home}" >&2
	mkdir -p "${home%/*}"
	half=$(mktemp -d "${home}.XXXXXX")
	cp "${source}/package.json" "${source}/package-lock.json" "${half}"
	if ! (cd "${half}" && npm ci --loglevel=error --ignore-scripts --no-audit --no-fund >/dev/null); then
		rm -rf "${half}"
		echo "npm ci failed in a copy of ${source}" >&2
		return 1
	fi
	# Another run may have been faster.
	mv -T "${half}" "${home}" 2>/dev/null || rm -rf "${half}"
}

# install_versitygw builds the S3 server that the tests start, in the version that they name. They look for it in the
# same folder.
install_versitygw() {
	local version home half said
	version=$(<"$(dirname "${BASH_SOURCE[0]}")/../internal/testkit/versitygw.version")
	home=${XDG_CACHE_HOME:-${HOME}/.cache}/stillcast/versitygw-${version}
	if [[ -d ${home} ]]; then
		return
	fi
	echo "Installing: versitygw ${version} (84 MB, about two minutes) in ${home}" >&2
	mkdir -p "${home%/*}"
	half=$(mktemp -d "${home}.XXXXXX")
	if ! said=$(GOBIN=${half} "${GO:-go}" install "github.com/versity/versitygw/cmd/versitygw@${version}" 2>&1); then
		rm -rf "${half}"
		echo "go install failed: ${said}" >&2
		return 1
	fi
	mv -T "${half}" "${home}" 2>/dev/null || rm -rf "${half}"
}

finish() {
	if [[ ${purpose} == test ]]; then
		install_versitygw
		install_npm nodeav internal/testkit/nodeav "FFmpeg 8, 200 MB"
		install_npm tencentcloud internal/api/sdktest/node "the Node.js client of Tencent Cloud, 62 MB"
		install_npm browser internal/console/browser "the driver of Chromium, 20 MB"
		install_npm cos internal/objstore/cos/nodesdk "the Node.js client of COS, 7 MB"
	fi
}

look
if [[ ${#packages[@]} == 0 ]]; then
	finish
	exit 0
fi
say_missing

if ! has apt-get; then
	echo "This is no Debian or Ubuntu: install these with your system's own packages (Debian calls them: ${packages[*]})." >&2
	exit 1
fi
command="apt-get update && apt-get install -y --no-install-recommends ${packages[*]}"
if ! prefix=$(as_root); then
	echo "Run this, then try again:" >&2
	echo "  sudo sh -c '${command}'" >&2
	exit 1
fi

echo "Installing: ${packages[*]}" >&2
# shellcheck disable=SC2086 # the prefix is words
if ! install_packages ${prefix}; then
	echo "apt-get failed; what has to work is:" >&2
	echo "  ${command}" >&2
	exit 1
fi
look
if [[ ${#packages[@]} != 0 ]]; then
	echo "Still not found after installing; another program of that name may stand before it in PATH." >&2
	say_missing
	exit 1
fi
finish
