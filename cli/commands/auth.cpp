#include <iostream>
#include <iterator>

#include "base/filesystem.hpp"
#include "config/credentials.hpp"
#include "program/command.hpp"

// `auth login` and `auth logout`, as micromamba has them: they change the file that mamba and micromamba read, too.

namespace taipan::cli {

namespace {

class Login final : public Command {
public:
    Options options() override {
        const std::string group = "Credentials";
        return {
            {"host", &hosts_, "HOST", "server or channel, e.g. example.com or example.com/private", group},
            {"-u,--username", &user_, "NAME", "user, with a password", group},
            {"-p,--password", &password_, "TEXT", "password; anybody can see it in the list of processes", group},
            {"-t,--token", &token_, "TEXT", "token that goes into the URL (/t/TOKEN/)", group},
            {"-b,--bearer", &bearer_, "TEXT", "token for the Authorization header", group},
            {"--password-stdin", &password_stdin_, {}, "read the password from standard input", group},
            {"--token-stdin", &token_stdin_, {}, "read the token from standard input", group},
            {"--bearer-stdin", &bearer_stdin_, {}, "read the bearer token from standard input", group},
        };
    }
    [[nodiscard]] std::string usage_error() const override {
        if (hosts_.size() != 1) return "name one host, e.g. `taipan auth login example.com --token-stdin`";
        const int given = (!password_.empty() ? 1 : 0) + (!token_.empty() ? 1 : 0) + (!bearer_.empty() ? 1 : 0) +
                          (password_stdin_ ? 1 : 0) + (token_stdin_ ? 1 : 0) + (bearer_stdin_ ? 1 : 0);
        if (given != 1) return "give one of password, token and bearer token";
        return {};
    }

    Result<int> run(Invocation& invocation) override {
        StoredCredential credential;
        credential.place = place_of_login(hosts_.front());
        credential.user = user_;
        if (password_stdin_ || !password_.empty()) credential.kind = StoredCredential::Kind::basic;
        if (bearer_stdin_ || !bearer_.empty()) credential.kind = StoredCredential::Kind::bearer;
        credential.secret =
            password_stdin_ || token_stdin_ || bearer_stdin_ ? read_input() : password_ + token_ + bearer_;
        if (credential.secret.empty()) {
            return make_error(ErrorCode::invalid_argument, "the password or token is empty; nothing was stored");
        }
        TAIPAN_CHECK(store_credential(login_file(invocation.variable("HOME")), credential));
        invocation.console.print("Successfully stored login information\n");
        return exit_success;
    }

private:
    /// All of it, without the line end that `echo` adds.
    static std::string read_input() {
        std::string text{std::istreambuf_iterator<char>(std::cin), std::istreambuf_iterator<char>()};
        while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
        return text;
    }

    std::vector<std::string> hosts_;
    std::string user_, password_, token_, bearer_;
    bool password_stdin_ = false, token_stdin_ = false, bearer_stdin_ = false;
};

class Logout final : public Command {
public:
    Options options() override {
        return {{"host", &hosts_, "HOST", "server or channel, as it was given to login", "Credentials"},
                {"--all", &all_, {}, "forget all logins", "Credentials"}};
    }
    [[nodiscard]] std::string usage_error() const override {
        return all_ == hosts_.empty() && hosts_.size() <= 1 ? "" : "name one host, or say --all";
    }

    Result<int> run(Invocation& invocation) override {
        const std::string file = login_file(invocation.variable("HOME"));
        if (all_) {
            TAIPAN_CHECK(remove_tree(file));
            invocation.console.print("Logged out from all hosts\n");
            return exit_success;
        }
        const std::string place = place_of_login(hosts_.front());
        TAIPAN_TRY(const bool known, forget_credential(file, place));
        invocation.console.print((known ? "Logged out from " : "You are not logged in to ") + place + "\n");
        return exit_success;
    }

private:
    std::vector<std::string> hosts_;
    bool all_ = false;
};

} // namespace

std::unique_ptr<Command> make_auth_login() { return std::make_unique<Login>(); }
std::unique_ptr<Command> make_auth_logout() { return std::make_unique<Logout>(); }

} // namespace taipan::cli
