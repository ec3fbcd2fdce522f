// One hostile message through all that SIP does with it before there is a call: framing, parsing, checks,
// credentials, trunks, and the answers and requests written from it, which must be readable themselves.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "daemon/legs/sip/dialog/dialog.hpp"
#include "daemon/legs/sip/message/bounds.hpp"
#include "daemon/legs/sip/message/digest.hpp"
#include "daemon/legs/sip/message/parse.hpp"
#include "daemon/legs/sip/message/writer.hpp"
#include "daemon/legs/sip/network/stack.hpp"
#include "daemon/legs/sip/network/stun.hpp"
#include "daemon/legs/sip/registrar/registrar.hpp"
#include "daemon/legs/sip/routing/arrival.hpp"
#include "daemon/legs/sip/routing/trunk.hpp"

namespace vmr::sip {
namespace {

void check(bool holds, const char* what, const std::string& text = {}) {
    if (!holds) {
        std::fprintf(stderr, "sip invariant broken: %s\n%s\n", what, text.c_str());
        std::abort();
    }
}

Flow flow() {
    Flow flow;
    flow.remote = {"192.0.2.7", 5060};
    flow.local = {"192.0.2.1", 5060};
    return flow;
}

// Whoever writes a line of ours could forge an answer: no CR or LF but at the ends of lines.
void check_lines(const std::string& text) {
    const std::string_view head = std::string_view(text).substr(0, text.find("\r\n\r\n"));
    for (std::size_t at = 0; at < head.size(); ++at) {
        check(head[at] != '\n' || (at > 0 && head[at - 1] == '\r'), "LF without CR", text);
        check(head[at] != '\r' || at + 1 == head.size() || head[at + 1] == '\n', "CR without LF", text);
    }
}

void check_answer(const Message& request, Reply reply) {
    reply.to_tag = "tag";
    const std::string text = write_response(request, reply);
    check_lines(text);
    const Result<Message> back = parse_message(text, flow());
    check(back.ok(), "an answer of ours can be read", (back.ok() ? "" : back.error() + "\n") + text);
    check(back->status == reply.status && back->call_id == request.call_id && back->cseq == request.cseq &&
              back->from.tag == request.from.tag && back->method == request.method,
          "an answer belongs to its request", text);
    check(back->headers.size() <= request.headers.size() + reply.headers.size() + 3, "no header more", text);
}

void check_call(const Message& invite) {
    static const Result<Trunks> trunks = Trunks::make(
        {{.name = "t", .sources = {"192.0.2.0/24"}, .user = "u", .secret = "s", .numbers = {{"+1", "a"}}}});
    const Trunks::Match match = trunks->match(invite, "u");
    const Arrival arrival = describe(invite, {}, "leg");
    for (const std::string& shown :
         {arrival.alias, arrival.display_name, arrival.caller, arrival.user_agent}) {
        check(std::none_of(shown.begin(), shown.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }),
              "nothing unprintable is shown");
    }
    if (match.kind == Trunks::Match::Kind::trunk) {
        (void)describe(invite, match, "leg");
    }
    Dialog dialog(invite, "ours", {});
    const std::string bye =
        dialog.write_request({.method = "BYE", .branch = "z9hG4bKb", .headers = {}, .body = {}});
    check_lines(bye);
    const Result<Message> read = parse_message(bye, flow());
    check(read.ok(), "a request of ours can be read", (read.ok() ? "" : read.error() + "\n") + bye);
    check(read->from.tag == "ours" && read->to.tag == invite.from.tag, "it belongs to the dialog", bye);
    check_lines(dialog.write_ack(1, "z9hG4bKa"));
    check(dialog.accept_order(invite) == false, "an INVITE is in order once");
}

// As if the credentials were right: what stands behind them is to be exercised, too.
void check_registration(const Message& request) {
    Accounts accounts("vmr", "key", 10);
    (void)accounts.set({.name = "device"}, "secret");
    Digest digest("vmr", "key");
    RegistrarConfig config;
    config.enabled = config.allow_clear = true;
    config.domains = {"vmr", request.uri.host, request.to.uri.host};
    config.firmware = {{"Acme", "1.2"}};
    Registrar registrar(config, accounts, digest);
    Message allowed = request;
    const std::string challenge =
        digest.challenge(DigestAlgorithms::sha256, request.flow.remote.ip, false, 1)[0];
    const std::string nonce = parameter(digest_parameters(challenge.substr(7)), "nonce");
    allowed.uri.user.clear();
    const std::string& host = allowed.uri.host;
    const std::string uri = "sip:" + (host.find(':') == std::string::npos ? host : "[" + host + "]");
    const std::string response =
        hash_hex("SHA-256", digest_ha1(DigestAlgorithms::sha256, "device", "vmr", "secret") + ":" + nonce +
                                ":1:c:auth:" + hash_hex("SHA-256", "REGISTER:" + uri));
    std::erase_if(allowed.headers, [](const Header& header) { return header.name == "authorization"; });
    allowed.headers.push_back({"authorization", "Digest username=device, realm=vmr, nonce=" + nonce +
                                                    ", uri=\"" + uri + "\", response=" + response +
                                                    ", algorithm=SHA-256, cnonce=c, qop=auth, nc=1"});
    allowed.to.uri.user = "device";
    const Registrar::Outcome outcome = registrar.answer(allowed, 2);
    check(!outcome.wrong_digest, "the credentials are right");
    check_answer(request, outcome.reply);
    check(registrar.registrations() <= kMaxContacts, "contacts are bounded");
    check(outcome.reply.status != 401, "who has credentials is not asked again");
    registrar.tick(1LL << 40);
    check(registrar.registrations() == 0, "every registration ends");
}

void exercise(const Message& message) {
    check(!message.call_id.empty() && message.cseq <= 0x7fffffffU && !message.headers.empty(),
          "what all have");
    if (!message.request) {
        return;
    }
    Digest digest("vmr", "key");
    for (const char* header : {"proxy-authorization", "authorization"}) {
        const auto verdict = digest.verify(
            message, header,
            [](const std::string&, DigestAlgorithms) { return std::optional<std::string>("s"); }, 1000);
        check(verdict != Digest::Verdict::accepted, "nobody guesses a nonce");
    }
    if (message.method == "REGISTER") {
        check_registration(message);
    }
    check_answer(message, {.status = 486});
    if (const std::optional<Reply> answer = early_answer(message)) {
        check_answer(message, *answer);
    } else if (message.to.tag.empty()) {  // else it is of a dialog already
        check_call(message);
    }
}

}  // namespace
}  // namespace vmr::sip

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    using namespace vmr::sip;
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    for (const bool stream : {false, true}) {
        const Inspection found = inspect(bytes, stream);
        if (found.frame != Frame::complete) {
            continue;
        }
        check(found.length <= size, "a frame is no longer than the bytes");
        if (const vmr::Result<Message> message = parse_message(bytes.substr(0, found.length), flow())) {
            exercise(*message);
        }
    }
    check_lines(stateless_refusal(bytes, flow().remote));
    const std::string mapped = stun_answer(bytes, flow().remote);
    check(mapped.empty() || mapped.size() == 32, "a STUN answer is short");
    return 0;
}
