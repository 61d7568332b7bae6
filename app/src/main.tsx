import { settle } from '@/config/given'
import '@/styles/index.css'

const root = document.getElementById('root')
if (root === null) throw new Error('The page has no #root')

// where the data is has to be settled before any module takes it from `env`
settle(window.location.search).then(
  async () => {
    const { start } = await import('@/start')
    start(root)
  },
  async (error: unknown) => {
    const { refuse } = await import('@/refuse')
    refuse(root, error)
  },
)
