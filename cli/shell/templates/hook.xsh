# The command @NAME@ for xonsh. The prompt field {env_name} shows the environment.

def __@NAME@_main(args, stdin=None):
    import subprocess
    program = __xonsh__.env['@VARIABLE@']

    def evaluate(words):
        done = subprocess.run([program, @CALL@], stdout=subprocess.PIPE, env=__xonsh__.env.detype())
        if done.returncode == 0:
            __xonsh__.execer.exec(done.stdout.decode(errors='surrogateescape'), glbs=__xonsh__.ctx,
                                  filename='@NAME@ ' + ' '.join(words))
            __xonsh__.commands_cache.get_cached_commands() if hasattr(
                __xonsh__.commands_cache, 'get_cached_commands') else None
        return done.returncode

    first = '' if not args or '--help' in args or '-h' in args else args[0]
    if first in ('activate', 'deactivate', 'reactivate'):
        return evaluate(args)
    code = subprocess.run([program, *args], env=__xonsh__.env.detype()).returncode
    if code == 0 and first in ('install', 'update', 'upgrade', 'remove', 'uninstall'):
        code = evaluate(['reactivate'])
    return code


aliases['@NAME@'] = __@NAME@_main

if 'CONDA_SHLVL' not in __xonsh__.env:
    $CONDA_SHLVL = '0'
    $PATH.insert(0, @CONDABIN@)
